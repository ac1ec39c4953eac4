-- Logs of each quarter of an hour (milliseconds / 900,000) by status, as log_minutes has them by the minute: the bars of a day are read, not summed.
CREATE TABLE log_quarters (
    project_id BIGINT NOT NULL,
    origin     SMALLINT NOT NULL,
    quarter    BIGINT NOT NULL,
    status     SMALLINT NOT NULL,
    count      BIGINT NOT NULL,
    PRIMARY KEY (project_id, origin, quarter, status)
) WITHOUT ROWID;

INSERT INTO log_quarters (project_id, origin, quarter, status, count)
SELECT project_id, origin, (minute - (minute % 15 + 15) % 15) / 15, status, SUM(count)
FROM log_minutes
GROUP BY 1, 2, 3, 4;
