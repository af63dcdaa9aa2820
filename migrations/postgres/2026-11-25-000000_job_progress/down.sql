ALTER TABLE jobs DROP COLUMN journal_steps;
ALTER TABLE jobs DROP COLUMN interruptions;
