-- A rule may also say that users or IP addresses are masked.
ALTER TABLE mask_rules DROP CONSTRAINT mask_rules_kind_check;
ALTER TABLE mask_rules ADD CONSTRAINT mask_rules_kind_check CHECK (kind IN ('header', 'key', 'path', 'pattern', 'user', 'ip'));
