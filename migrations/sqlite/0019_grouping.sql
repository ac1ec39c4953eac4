-- Which signatures may be grouped, by shape and month: without it each look reads past the signatures themselves, 16 KB each.
CREATE INDEX log_signatures_by_shape ON log_signatures (project_id, width, lane, form, origin, min_time, id) WHERE small = 0;
