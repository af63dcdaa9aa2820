ALTER TABLE versions DROP COLUMN files;
ALTER TABLE versions DROP COLUMN prefix;
