-- Attempts that count towards giving a job up are those without progress: `attempts` and `interruptions` go back to the start when the
-- tiler's journal has more steps than ever before.
-- Attempts since then that the service did not survive.
ALTER TABLE jobs ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0;
-- The most steps that the journal has had at the start or the end of an attempt.
ALTER TABLE jobs ADD COLUMN journal_steps BIGINT NOT NULL DEFAULT 0;
