-- A rule may also say that users or IP addresses are masked. A CHECK cannot be changed here: the table is made anew.
CREATE TABLE mask_rules_new (
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    place BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('header', 'key', 'path', 'pattern', 'user', 'ip')),
    text TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (project_id, place)
);
INSERT INTO mask_rules_new (project_id, place, kind, text, note) SELECT project_id, place, kind, text, note FROM mask_rules;
DROP TABLE mask_rules;
ALTER TABLE mask_rules_new RENAME TO mask_rules;
