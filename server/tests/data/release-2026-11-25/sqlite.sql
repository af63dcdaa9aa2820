-- A SQLite catalogue as the release with the migrations up to 2026-11-25 left it: two versions of one scan, another scan, a failed one.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE __diesel_schema_migrations (
       version VARCHAR(50) PRIMARY KEY NOT NULL,
       run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO __diesel_schema_migrations VALUES('20260101000000','2026-11-25 10:08:11');
INSERT INTO __diesel_schema_migrations VALUES('20261124000000','2026-11-25 10:08:11');
INSERT INTO __diesel_schema_migrations VALUES('20261125000000','2026-11-25 10:08:11');
CREATE TABLE venues (
    id TEXT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- The name without case and accents, for searching.
    name_folded TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
INSERT INTO venues VALUES('01a2122d-5719-7061-a9c2-7dcacc3bf195','theatre-de-la-ville','Théâtre de la Ville','theatre de la ville',1795601291033);
INSERT INTO venues VALUES('01a2122d-5d3a-71c8-8395-f954c40fb6ff','stade-bauer','Stade Bauer','stade bauer',1795601292602);
CREATE TABLE scans (
    id TEXT NOT NULL PRIMARY KEY,
    venue_id TEXT NOT NULL REFERENCES venues (id),
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (venue_id, name)
);
INSERT INTO scans VALUES('01a2122d-5744-7261-8cff-7e2b9f8eb3c4','01a2122d-5719-7061-a9c2-7dcacc3bf195','room.las',1795601291076);
INSERT INTO scans VALUES('01a2122d-5b61-71ee-a75a-b4c4a30b64f9','01a2122d-5719-7061-a9c2-7dcacc3bf195','balcony.las',1795601292129);
INSERT INTO scans VALUES('01a2122d-5d62-764a-acd6-f22b5a51a33e','01a2122d-5d3a-71c8-8395-f954c40fb6ff','bad.ply',1795601292642);
CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    -- JSON, understood by the job of that kind.
    payload TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    stage TEXT NOT NULL,
    progress DOUBLE NOT NULL,
    attempts INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    -- Not to be claimed before.
    run_after BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT,
    error_code TEXT,
    error_message TEXT,
    error_hint TEXT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT
, interruptions INTEGER NOT NULL DEFAULT 0, journal_steps BIGINT NOT NULL DEFAULT 0);
INSERT INTO jobs VALUES('01a2122d-5744-7261-8cff-7e2cd15e4a64','tile_scan','{"scan":"01a2122d-5744-7261-8cff-7e2b9f8eb3c4","version":1}','done','done',1.0,1,3,1795601291076,NULL,NULL,NULL,NULL,NULL,1795601291076,1795601291076,1795601291480,0,0);
INSERT INTO jobs VALUES('01a2122d-594f-72ed-986a-dad5dc7fa412','tile_scan','{"scan":"01a2122d-5744-7261-8cff-7e2b9f8eb3c4","version":2}','done','done',1.0,1,3,1795601291599,NULL,NULL,NULL,NULL,NULL,1795601291599,1795601291599,1795601292023,0,0);
INSERT INTO jobs VALUES('01a2122d-5b61-71ee-a75a-b4c57dfa2e6f','tile_scan','{"scan":"01a2122d-5b61-71ee-a75a-b4c4a30b64f9","version":1}','done','done',1.0,1,3,1795601292129,NULL,NULL,NULL,NULL,NULL,1795601292129,1795601292129,1795601292519,0,0);
INSERT INTO jobs VALUES('01a2122d-5d63-7549-880d-200924427a93','tile_scan','{"scan":"01a2122d-5d62-764a-acd6-f22b5a51a33e","version":1}','failed','queued',0.0,1,3,1795601292643,NULL,NULL,'no_points','bad.ply: none of the 50 points has a usable position','Check that the file holds points and that its scale and offset are right.',1795601292643,1795601292643,1795601292677,0,0);
CREATE TABLE versions (
    scan_id TEXT NOT NULL REFERENCES scans (id),
    version INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('processing', 'ready', 'failed')),
    file_name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    source_key TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES jobs (id),
    tiles_key TEXT,
    thumbnail_key TEXT,
    plan_key TEXT,
    report_key TEXT,
    -- JSON: the tiler's report, and where the scan lies.
    report TEXT,
    frame TEXT,
    points BIGINT,
    tiles_bytes BIGINT,
    created_at BIGINT NOT NULL,
    published_at BIGINT, prefix TEXT, files TEXT,
    PRIMARY KEY (scan_id, version)
);
INSERT INTO versions VALUES('01a2122d-5744-7261-8cff-7e2b9f8eb3c4',1,'ready','room.las',6227,'eeb10a90e46caedbf2e284902cd40d2720a183ad89a089a3d2e3cfdff8721255','uploads/01a2122d-5712-7232-9c99-d4c924589915/source.bin','01a2122d-5744-7261-8cff-7e2cd15e4a64','scans/01a2122d-5744-7261-8cff-7e2b9f8eb3c4/1/01a2122d-5746-769f-bc61-04eee7e2db96/tiles.3tz','scans/01a2122d-5744-7261-8cff-7e2b9f8eb3c4/1/01a2122d-5746-769f-bc61-04eee7e2db96/thumbnail.png','scans/01a2122d-5744-7261-8cff-7e2b9f8eb3c4/1/01a2122d-5746-769f-bc61-04eee7e2db96/plan-1.png','scans/01a2122d-5744-7261-8cff-7e2b9f8eb3c4/1/01a2122d-5746-769f-bc61-04eee7e2db96/report.json','{"report_version":2,"points_in":300,"points_out":300,"points_dropped":0,"dropped":[],"sources":[],"warnings":[{"code":"unit_assumed","message":"the file gives no coordinate reference system and no known unit of length: coordinates are taken as metres"}],"tiles":1,"bytes":9988,"files":[{"name":"plan-1.png","bytes":24411},{"name":"points.copc.laz","bytes":2322},{"name":"thumbnail.png","bytes":27510},{"name":"tiles.3tz","bytes":9988}],"seconds":0.329898596,"timings":[{"stage":"count","seconds":0.003489816},{"stage":"distribute","seconds":0.001148397},{"stage":"sample","seconds":0.002781774},{"stage":"write","seconds":0.017532594},{"stage":"pictures","seconds":0.30023969}],"temporary_bytes":12661,"bounds":[0.0,0.0,0.0,7.974,5.973,3.996],"frame":{"origin_m":[3.0,2.0,1.0],"unit":"metre","unit_source":"assumed","crs":null},"attributes":{"color":false,"intensity":true,"classification":true,"returns":true,"gps_time":false},"point_format":6,"spacing_m":0.051522012578616355,"quantization_error_m":9.094947017729283e-16,"setups":[],"levels":[{"number":1,"floor_m":0.002,"top_m":3.996,"area_m2":36.5153382,"floors_m":[-1.0,4.996]}],"coverage_m2":43.0,"coverage_cell_m":1.0,"point_spacing_m":null,"density_per_m2":null,"noise_m":null,"noise_quartiles_m":null,"survey_places":0}','{"origin_m":[3.0,2.0,1.0],"unit":"metre","unit_source":"assumed","crs":null}',300,9988,1795601291076,1795601291480,'scans/01a2122d-5744-7261-8cff-7e2b9f8eb3c4/1/01a2122d-5746-769f-bc61-04eee7e2db96','[{"name":"plan-1.png","bytes":24411},{"name":"points.copc.laz","bytes":2322},{"name":"thumbnail.png","bytes":27510},{"name":"tiles.3tz","bytes":9988}]');
INSERT INTO versions VALUES('01a2122d-5744-7261-8cff-7e2b9f8eb3c4',2,'ready','room.las',6227,'eeb10a90e46caedbf2e284902cd40d2720a183ad89a089a3d2e3cfdff8721255','uploads/01a2122d-5924-7023-8b8b-84e91a328904/source.bin','01a2122d-594f-72ed-986a-dad5dc7fa412','scans/01a2122d-5744-7261-8cff-7e2b9f8eb3c4/2/01a2122d-5960-723a-bd05-1c61a08d5d76/tiles.3tz','scans/01a2122d-5744-7261-8cff-7e2b9f8eb3c4/2/01a2122d-5960-723a-bd05-1c61a08d5d76/thumbnail.png','scans/01a2122d-5744-7261-8cff-7e2b9f8eb3c4/2/01a2122d-5960-723a-bd05-1c61a08d5d76/plan-1.png','scans/01a2122d-5744-7261-8cff-7e2b9f8eb3c4/2/01a2122d-5960-723a-bd05-1c61a08d5d76/report.json','{"report_version":2,"points_in":300,"points_out":300,"points_dropped":0,"dropped":[],"sources":[],"warnings":[{"code":"unit_assumed","message":"the file gives no coordinate reference system and no known unit of length: coordinates are taken as metres"}],"tiles":1,"bytes":9988,"files":[{"name":"plan-1.png","bytes":24411},{"name":"points.copc.laz","bytes":2322},{"name":"thumbnail.png","bytes":27510},{"name":"tiles.3tz","bytes":9988}],"seconds":0.316318835,"timings":[{"stage":"count","seconds":0.008640501},{"stage":"distribute","seconds":0.003587571},{"stage":"sample","seconds":0.006441293},{"stage":"write","seconds":0.018558179},{"stage":"pictures","seconds":0.287779944}],"temporary_bytes":12661,"bounds":[0.0,0.0,0.0,7.974,5.973,3.996],"frame":{"origin_m":[3.0,2.0,1.0],"unit":"metre","unit_source":"assumed","crs":null},"attributes":{"color":false,"intensity":true,"classification":true,"returns":true,"gps_time":false},"point_format":6,"spacing_m":0.051522012578616355,"quantization_error_m":9.094947017729283e-16,"setups":[],"levels":[{"number":1,"floor_m":0.002,"top_m":3.996,"area_m2":36.5153382,"floors_m":[-1.0,4.996]}],"coverage_m2":43.0,"coverage_cell_m":1.0,"point_spacing_m":null,"density_per_m2":null,"noise_m":null,"noise_quartiles_m":null,"survey_places":0}','{"origin_m":[3.0,2.0,1.0],"unit":"metre","unit_source":"assumed","crs":null}',300,9988,1795601291600,1795601292022,'scans/01a2122d-5744-7261-8cff-7e2b9f8eb3c4/2/01a2122d-5960-723a-bd05-1c61a08d5d76','[{"name":"plan-1.png","bytes":24411},{"name":"points.copc.laz","bytes":2322},{"name":"thumbnail.png","bytes":27510},{"name":"tiles.3tz","bytes":9988}]');
INSERT INTO versions VALUES('01a2122d-5b61-71ee-a75a-b4c4a30b64f9',1,'ready','balcony.las',6227,'fce3951ffd8d480fd2cb1527f75e7a49ee62a707db879ce0e308c41e49c64a97','uploads/01a2122d-5b33-74a1-b6d8-3f5e38093861/source.bin','01a2122d-5b61-71ee-a75a-b4c57dfa2e6f','scans/01a2122d-5b61-71ee-a75a-b4c4a30b64f9/1/01a2122d-5b63-77d8-9c03-610e79db9a7a/tiles.3tz','scans/01a2122d-5b61-71ee-a75a-b4c4a30b64f9/1/01a2122d-5b63-77d8-9c03-610e79db9a7a/thumbnail.png','scans/01a2122d-5b61-71ee-a75a-b4c4a30b64f9/1/01a2122d-5b63-77d8-9c03-610e79db9a7a/plan-1.png','scans/01a2122d-5b61-71ee-a75a-b4c4a30b64f9/1/01a2122d-5b63-77d8-9c03-610e79db9a7a/report.json','{"report_version":2,"points_in":300,"points_out":300,"points_dropped":0,"dropped":[],"sources":[],"warnings":[{"code":"unit_assumed","message":"the file gives no coordinate reference system and no known unit of length: coordinates are taken as metres"}],"tiles":1,"bytes":9821,"files":[{"name":"plan-1.png","bytes":24371},{"name":"points.copc.laz","bytes":2324},{"name":"thumbnail.png","bytes":28187},{"name":"tiles.3tz","bytes":9821}],"seconds":0.312116309,"timings":[{"stage":"count","seconds":0.004206621},{"stage":"distribute","seconds":0.001308925},{"stage":"sample","seconds":0.002594656},{"stage":"write","seconds":0.005620803},{"stage":"pictures","seconds":0.284044022}],"temporary_bytes":12459,"bounds":[0.0,0.0,0.0,7.952,5.99,3.989],"frame":{"origin_m":[3.0,2.0,1.0],"unit":"metre","unit_source":"assumed","crs":null},"attributes":{"color":false,"intensity":true,"classification":true,"returns":true,"gps_time":false},"point_format":6,"spacing_m":0.051522012578616355,"quantization_error_m":9.094947017729283e-16,"setups":[],"levels":[{"number":1,"floor_m":0.002,"top_m":3.989,"area_m2":33.342735999999995,"floors_m":[-1.0,4.989]}],"coverage_m2":41.0,"coverage_cell_m":1.0,"point_spacing_m":null,"density_per_m2":null,"noise_m":null,"noise_quartiles_m":null,"survey_places":0}','{"origin_m":[3.0,2.0,1.0],"unit":"metre","unit_source":"assumed","crs":null}',300,9821,1795601292129,1795601292515,'scans/01a2122d-5b61-71ee-a75a-b4c4a30b64f9/1/01a2122d-5b63-77d8-9c03-610e79db9a7a','[{"name":"plan-1.png","bytes":24371},{"name":"points.copc.laz","bytes":2324},{"name":"thumbnail.png","bytes":28187},{"name":"tiles.3tz","bytes":9821}]');
INSERT INTO versions VALUES('01a2122d-5d62-764a-acd6-f22b5a51a33e',1,'failed','bad.ply',701,'70d9db0014920a50ded35aa50a876bf31a4859980e6c7d9a6307d9aa3ea932b3','uploads/01a2122d-5d32-70ee-bc28-155267e802f1/source.bin','01a2122d-5d63-7549-880d-200924427a93',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795601292643,NULL,NULL,NULL);
CREATE INDEX jobs_open ON jobs (run_after) WHERE state IN ('queued', 'running');
CREATE INDEX versions_job ON versions (job_id);
COMMIT;
