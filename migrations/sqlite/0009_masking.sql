-- What a project masks beside the built-in names: header and key names, JSON paths, patterns in text; in the order that its owners gave.
CREATE TABLE mask_rules (
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    place BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('header', 'key', 'path', 'pattern')),
    text TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (project_id, place)
);
