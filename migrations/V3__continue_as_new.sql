-- oldest-binary: 1
--
-- Sagas that continue as new are replayed from the row with which their last run began. An older binary leaves the column
-- as it is and cannot read such a history.

ALTER TABLE saga ADD COLUMN run_from bigint;
COMMENT ON COLUMN saga.run_from IS 'Sequence of the transition with which the last run began; NULL: 1, the saga has not continued as new.';
