-- Embedded views: a shared view as people without an account see it, by a link. Nothing of the link is here: it is derived from the id and the end.
CREATE TABLE embeds (
    project_id  BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id          TEXT NOT NULL,
    -- Who made it.
    user_id     BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    -- Which view. No reference: a view that is gone is shown by no link, whatever the row says.
    view_id     TEXT NOT NULL,
    -- What its link shows beside the facts.
    read_bodies BOOLEAN NOT NULL,
    read_users  BOOLEAN NOT NULL,
    -- Whose pages may frame it, divided by blanks; empty for nobody's.
    origins     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    revoked_at  BIGINT,
    -- How many pages it has shown, and when the last one.
    opened      BIGINT NOT NULL,
    opened_at   BIGINT,
    PRIMARY KEY (project_id, id)
);
-- A link names the id alone.
CREATE UNIQUE INDEX embeds_by_id ON embeds (id);
