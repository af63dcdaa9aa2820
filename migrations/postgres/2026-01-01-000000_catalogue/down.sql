DROP TABLE versions;
DROP TABLE jobs;
DROP TABLE scans;
DROP TABLE venues;
