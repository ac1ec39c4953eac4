-- A second factor (RFC 6238): its secret sealed with the instance key; the one that waits to be confirmed, likewise, with its recovery codes; the last
-- step that was taken, so that a code is taken once; and the SHA-256 of each recovery code that is left, in hexadecimal, separated by commas.
ALTER TABLE users ADD COLUMN totp_secret BYTEA;
ALTER TABLE users ADD COLUMN totp_pending BYTEA;
ALTER TABLE users ADD COLUMN totp_step BIGINT;
ALTER TABLE users ADD COLUMN recovery TEXT;
-- Who a person is to an identity provider: the issuer, a space, and its subject.
ALTER TABLE users ADD COLUMN oidc_subject TEXT;
CREATE UNIQUE INDEX users_by_oidc_subject ON users (oidc_subject) WHERE oidc_subject IS NOT NULL;
