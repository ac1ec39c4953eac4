-- People, who they are in which project, their sign-ins, and the keys of applications.
-- Times are milliseconds since 1970, UTC. Of tokens only the SHA-256 is kept.

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    public_id TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    operator BOOLEAN NOT NULL,
    last_project_id BIGINT REFERENCES projects (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE members (
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('auditor', 'member', 'owner')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id, created_at);

-- What a project takes from a role, or gives back; without a row a role has both.
CREATE TABLE role_rights (
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('auditor', 'member', 'owner')),
    read_bodies BOOLEAN NOT NULL,
    read_users BOOLEAN NOT NULL,
    PRIMARY KEY (project_id, role)
);

CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    ip TEXT NOT NULL,
    user_agent TEXT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE api_keys (
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    app_id TEXT NOT NULL,
    token_hash BLOB NOT NULL,
    name TEXT NOT NULL,
    -- Scopes and origins are lists, separated by commas.
    scopes TEXT NOT NULL,
    client BOOLEAN NOT NULL,
    origins TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX api_keys_by_token ON api_keys (token_hash);

CREATE TABLE management_keys (
    id TEXT PRIMARY KEY,
    app_id TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT
);
