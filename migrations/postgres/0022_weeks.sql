-- Logs of each week (milliseconds / 604,800,000: seven days from a Thursday on, UTC) by the value of a field, as log_value_days has them by the day.
CREATE TABLE log_value_weeks (
    project_id BIGINT NOT NULL,
    field      SMALLINT NOT NULL,
    origin     SMALLINT NOT NULL,
    week       BIGINT NOT NULL,
    value      TEXT COLLATE "C" NOT NULL,
    count      BIGINT NOT NULL,
    PRIMARY KEY (project_id, field, origin, week, value)
);

INSERT INTO log_value_weeks (project_id, field, origin, week, value, count)
SELECT project_id, field, origin, (day - (day % 7 + 7) % 7) / 7, value, SUM(count)
FROM log_value_days
GROUP BY 1, 2, 3, 4, 5;
