-- Everything that was made of a version: the key that its objects' keys begin with, and JSON `[{"name", "bytes"}]`.
ALTER TABLE versions ADD COLUMN prefix TEXT;
ALTER TABLE versions ADD COLUMN files TEXT;
