-- What an export's file holds that not everyone may read: 1 what logs say, 2 who did it. Of those made before nobody knows: both.
ALTER TABLE exports ADD COLUMN holds SMALLINT NOT NULL DEFAULT 3;
-- A download's link names the export alone.
CREATE INDEX exports_by_public_id ON exports (id);
