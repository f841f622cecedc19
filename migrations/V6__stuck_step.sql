-- oldest-binary: 1
--
-- Which step a stuck saga waits for, for the gauge. An older binary leaves the column as it is: what it makes stuck has
-- the step of the time before, or none.

ALTER TABLE saga ADD COLUMN stuck_step text;
COMMENT ON COLUMN saga.stuck_step IS 'The step that stuck_reason is about; NULL: none, or not stuck.';
