-- Invitations into a project: by link, dated, taken once. Of a link's token only the SHA-256 is kept; what was taken, revoked or replaced is gone.
CREATE TABLE invitations (
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id         TEXT NOT NULL,
    token_hash BLOB NOT NULL,
    email      TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('auditor', 'member', 'owner')),
    invited_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX invitations_by_token ON invitations (token_hash);
CREATE UNIQUE INDEX invitations_by_email ON invitations (project_id, email);

-- Set where a project was deleted: from then on nobody reaches it, and what it holds is removed little by little.
ALTER TABLE projects ADD COLUMN deleted_at BIGINT;
