-- Logs of each day (milliseconds / 86,400,000, UTC) by the value of a field, as log_value_hours has them by the hour: a list over months reads a row a day instead of 24.
CREATE TABLE log_value_days (
    project_id BIGINT NOT NULL,
    field      SMALLINT NOT NULL,
    origin     SMALLINT NOT NULL,
    day        BIGINT NOT NULL,
    value      TEXT COLLATE "C" NOT NULL,
    count      BIGINT NOT NULL,
    PRIMARY KEY (project_id, field, origin, day, value)
);

INSERT INTO log_value_days (project_id, field, origin, day, value, count)
SELECT project_id, field, origin, (hour - (hour % 24 + 24) % 24) / 24, value, SUM(count)
FROM log_value_hours
GROUP BY 1, 2, 3, 4, 5;
