-- The same on PostgreSQL, as pg_dump --inserts gives it, without its settings.
CREATE TABLE public.__diesel_schema_migrations (
    version character varying(50) NOT NULL,
    run_on timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE TABLE public.jobs (
    id text NOT NULL,
    kind text NOT NULL,
    payload text NOT NULL,
    state text NOT NULL,
    stage text NOT NULL,
    progress double precision NOT NULL,
    attempts integer NOT NULL,
    max_attempts integer NOT NULL,
    run_after bigint NOT NULL,
    lease_owner text,
    lease_until bigint,
    error_code text,
    error_message text,
    error_hint text,
    created_at bigint NOT NULL,
    started_at bigint,
    finished_at bigint,
    interruptions integer DEFAULT 0 NOT NULL,
    journal_steps bigint DEFAULT 0 NOT NULL,
    CONSTRAINT jobs_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'done'::text, 'failed'::text])))
);
CREATE TABLE public.scans (
    id text NOT NULL,
    venue_id text NOT NULL,
    name text NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.venues (
    id text NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    name_folded text NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.versions (
    scan_id text NOT NULL,
    version integer NOT NULL,
    state text NOT NULL,
    file_name text NOT NULL,
    bytes bigint NOT NULL,
    sha256 text NOT NULL,
    source_key text NOT NULL,
    job_id text NOT NULL,
    tiles_key text,
    thumbnail_key text,
    plan_key text,
    report_key text,
    report text,
    frame text,
    points bigint,
    tiles_bytes bigint,
    created_at bigint NOT NULL,
    published_at bigint,
    prefix text,
    files text,
    CONSTRAINT versions_state_check CHECK ((state = ANY (ARRAY['processing'::text, 'ready'::text, 'failed'::text])))
);
INSERT INTO public.__diesel_schema_migrations VALUES ('20260101000000', '2026-11-25 10:08:13.950535');
INSERT INTO public.__diesel_schema_migrations VALUES ('20261124000000', '2026-11-25 10:08:13.992211');
INSERT INTO public.__diesel_schema_migrations VALUES ('20261125000000', '2026-11-25 10:08:14.012123');
INSERT INTO public.jobs VALUES ('01a2122d-635e-743c-a5ab-cead6f8a83da', 'tile_scan', '{"scan":"01a2122d-635c-72d8-8aac-6d846ca5ae23","version":1}', 'done', 'done', 1, 1, 3, 1795601294174, NULL, NULL, NULL, NULL, NULL, 1795601294174, 1795601294174, 1795601294819, 0, 0);
INSERT INTO public.jobs VALUES ('01a2122d-6685-718b-88d8-1f196dba7d80', 'tile_scan', '{"scan":"01a2122d-635c-72d8-8aac-6d846ca5ae23","version":2}', 'done', 'done', 1, 1, 3, 1795601294981, NULL, NULL, NULL, NULL, NULL, 1795601294981, 1795601294981, 1795601295496, 0, 0);
INSERT INTO public.jobs VALUES ('01a2122d-6939-7475-a63c-1025b54f59a5', 'tile_scan', '{"scan":"01a2122d-6938-7524-8368-9766ae589f23","version":1}', 'done', 'done', 1, 1, 3, 1795601295673, NULL, NULL, NULL, NULL, NULL, 1795601295673, 1795601295673, 1795601296124, 0, 0);
INSERT INTO public.jobs VALUES ('01a2122d-6b6f-771c-bd70-29ed69898c00', 'tile_scan', '{"scan":"01a2122d-6b6e-751e-ac45-8795ec2a9849","version":1}', 'failed', 'queued', 0, 1, 3, 1795601296239, NULL, NULL, 'no_points', 'bad.ply: none of the 50 points has a usable position', 'Check that the file holds points and that its scale and offset are right.', 1795601296239, 1795601296239, 1795601296271, 0, 0);
INSERT INTO public.scans VALUES ('01a2122d-635c-72d8-8aac-6d846ca5ae23', '01a2122d-6319-7546-a7d9-e1ddfba3d9e3', 'room.las', 1795601294172);
INSERT INTO public.scans VALUES ('01a2122d-6938-7524-8368-9766ae589f23', '01a2122d-6319-7546-a7d9-e1ddfba3d9e3', 'balcony.las', 1795601295672);
INSERT INTO public.scans VALUES ('01a2122d-6b6e-751e-ac45-8795ec2a9849', '01a2122d-6b3c-76da-b320-cc5085501ac9', 'bad.ply', 1795601296238);
INSERT INTO public.venues VALUES ('01a2122d-6319-7546-a7d9-e1ddfba3d9e3', 'theatre-de-la-ville', 'Théâtre de la Ville', 'theatre de la ville', 1795601294105);
INSERT INTO public.venues VALUES ('01a2122d-6b3c-76da-b320-cc5085501ac9', 'stade-bauer', 'Stade Bauer', 'stade bauer', 1795601296188);
INSERT INTO public.versions VALUES ('01a2122d-635c-72d8-8aac-6d846ca5ae23', 1, 'ready', 'room.las', 6227, 'eeb10a90e46caedbf2e284902cd40d2720a183ad89a089a3d2e3cfdff8721255', 'uploads/01a2122d-62c0-7617-b154-3f2ba0e0c56a/source.bin', '01a2122d-635e-743c-a5ab-cead6f8a83da', 'scans/01a2122d-635c-72d8-8aac-6d846ca5ae23/1/01a2122d-6360-749e-ad7a-556bfe27f787/tiles.3tz', 'scans/01a2122d-635c-72d8-8aac-6d846ca5ae23/1/01a2122d-6360-749e-ad7a-556bfe27f787/thumbnail.png', 'scans/01a2122d-635c-72d8-8aac-6d846ca5ae23/1/01a2122d-6360-749e-ad7a-556bfe27f787/plan-1.png', 'scans/01a2122d-635c-72d8-8aac-6d846ca5ae23/1/01a2122d-6360-749e-ad7a-556bfe27f787/report.json', '{"report_version":2,"points_in":300,"points_out":300,"points_dropped":0,"dropped":[],"sources":[],"warnings":[{"code":"unit_assumed","message":"the file gives no coordinate reference system and no known unit of length: coordinates are taken as metres"}],"tiles":1,"bytes":9988,"files":[{"name":"plan-1.png","bytes":24411},{"name":"points.copc.laz","bytes":2322},{"name":"thumbnail.png","bytes":27510},{"name":"tiles.3tz","bytes":9988}],"seconds":0.473520009,"timings":[{"stage":"count","seconds":0.008171713},{"stage":"distribute","seconds":0.005777006},{"stage":"sample","seconds":0.006067617},{"stage":"write","seconds":0.021509956},{"stage":"pictures","seconds":0.415477874}],"temporary_bytes":12661,"bounds":[0.0,0.0,0.0,7.974,5.973,3.996],"frame":{"origin_m":[3.0,2.0,1.0],"unit":"metre","unit_source":"assumed","crs":null},"attributes":{"color":false,"intensity":true,"classification":true,"returns":true,"gps_time":false},"point_format":6,"spacing_m":0.051522012578616355,"quantization_error_m":9.094947017729283e-16,"setups":[],"levels":[{"number":1,"floor_m":0.002,"top_m":3.996,"area_m2":36.5153382,"floors_m":[-1.0,4.996]}],"coverage_m2":43.0,"coverage_cell_m":1.0,"point_spacing_m":null,"density_per_m2":null,"noise_m":null,"noise_quartiles_m":null,"survey_places":0}', '{"origin_m":[3.0,2.0,1.0],"unit":"metre","unit_source":"assumed","crs":null}', 300, 9988, 1795601294174, 1795601294815, 'scans/01a2122d-635c-72d8-8aac-6d846ca5ae23/1/01a2122d-6360-749e-ad7a-556bfe27f787', '[{"name":"plan-1.png","bytes":24411},{"name":"points.copc.laz","bytes":2322},{"name":"thumbnail.png","bytes":27510},{"name":"tiles.3tz","bytes":9988}]');
INSERT INTO public.versions VALUES ('01a2122d-635c-72d8-8aac-6d846ca5ae23', 2, 'ready', 'room.las', 6227, 'eeb10a90e46caedbf2e284902cd40d2720a183ad89a089a3d2e3cfdff8721255', 'uploads/01a2122d-6648-75cf-a669-f6bc9f29c6dd/source.bin', '01a2122d-6685-718b-88d8-1f196dba7d80', 'scans/01a2122d-635c-72d8-8aac-6d846ca5ae23/2/01a2122d-668d-74e7-bbd3-4a2ee92edfce/tiles.3tz', 'scans/01a2122d-635c-72d8-8aac-6d846ca5ae23/2/01a2122d-668d-74e7-bbd3-4a2ee92edfce/thumbnail.png', 'scans/01a2122d-635c-72d8-8aac-6d846ca5ae23/2/01a2122d-668d-74e7-bbd3-4a2ee92edfce/plan-1.png', 'scans/01a2122d-635c-72d8-8aac-6d846ca5ae23/2/01a2122d-668d-74e7-bbd3-4a2ee92edfce/report.json', '{"report_version":2,"points_in":300,"points_out":300,"points_dropped":0,"dropped":[],"sources":[],"warnings":[{"code":"unit_assumed","message":"the file gives no coordinate reference system and no known unit of length: coordinates are taken as metres"}],"tiles":1,"bytes":9988,"files":[{"name":"plan-1.png","bytes":24411},{"name":"points.copc.laz","bytes":2322},{"name":"thumbnail.png","bytes":27510},{"name":"tiles.3tz","bytes":9988}],"seconds":0.343474781,"timings":[{"stage":"count","seconds":0.001321073},{"stage":"distribute","seconds":0.002044459},{"stage":"sample","seconds":0.003681321},{"stage":"write","seconds":0.00945401},{"stage":"pictures","seconds":0.31536716}],"temporary_bytes":12661,"bounds":[0.0,0.0,0.0,7.974,5.973,3.996],"frame":{"origin_m":[3.0,2.0,1.0],"unit":"metre","unit_source":"assumed","crs":null},"attributes":{"color":false,"intensity":true,"classification":true,"returns":true,"gps_time":false},"point_format":6,"spacing_m":0.051522012578616355,"quantization_error_m":9.094947017729283e-16,"setups":[],"levels":[{"number":1,"floor_m":0.002,"top_m":3.996,"area_m2":36.5153382,"floors_m":[-1.0,4.996]}],"coverage_m2":43.0,"coverage_cell_m":1.0,"point_spacing_m":null,"density_per_m2":null,"noise_m":null,"noise_quartiles_m":null,"survey_places":0}', '{"origin_m":[3.0,2.0,1.0],"unit":"metre","unit_source":"assumed","crs":null}', 300, 9988, 1795601294982, 1795601295495, 'scans/01a2122d-635c-72d8-8aac-6d846ca5ae23/2/01a2122d-668d-74e7-bbd3-4a2ee92edfce', '[{"name":"plan-1.png","bytes":24411},{"name":"points.copc.laz","bytes":2322},{"name":"thumbnail.png","bytes":27510},{"name":"tiles.3tz","bytes":9988}]');
INSERT INTO public.versions VALUES ('01a2122d-6938-7524-8368-9766ae589f23', 1, 'ready', 'balcony.las', 6227, 'fce3951ffd8d480fd2cb1527f75e7a49ee62a707db879ce0e308c41e49c64a97', 'uploads/01a2122d-68f7-7040-8903-5d184f126f6b/source.bin', '01a2122d-6939-7475-a63c-1025b54f59a5', 'scans/01a2122d-6938-7524-8368-9766ae589f23/1/01a2122d-6954-7784-a89b-7b3810570125/tiles.3tz', 'scans/01a2122d-6938-7524-8368-9766ae589f23/1/01a2122d-6954-7784-a89b-7b3810570125/thumbnail.png', 'scans/01a2122d-6938-7524-8368-9766ae589f23/1/01a2122d-6954-7784-a89b-7b3810570125/plan-1.png', 'scans/01a2122d-6938-7524-8368-9766ae589f23/1/01a2122d-6954-7784-a89b-7b3810570125/report.json', '{"report_version":2,"points_in":300,"points_out":300,"points_dropped":0,"dropped":[],"sources":[],"warnings":[{"code":"unit_assumed","message":"the file gives no coordinate reference system and no known unit of length: coordinates are taken as metres"}],"tiles":1,"bytes":9821,"files":[{"name":"plan-1.png","bytes":24371},{"name":"points.copc.laz","bytes":2324},{"name":"thumbnail.png","bytes":28187},{"name":"tiles.3tz","bytes":9821}],"seconds":0.262122946,"timings":[{"stage":"count","seconds":0.006434573},{"stage":"distribute","seconds":0.007198057},{"stage":"sample","seconds":0.00909734},{"stage":"write","seconds":0.028664949},{"stage":"pictures","seconds":0.235694141}],"temporary_bytes":12459,"bounds":[0.0,0.0,0.0,7.952,5.99,3.989],"frame":{"origin_m":[3.0,2.0,1.0],"unit":"metre","unit_source":"assumed","crs":null},"attributes":{"color":false,"intensity":true,"classification":true,"returns":true,"gps_time":false},"point_format":6,"spacing_m":0.051522012578616355,"quantization_error_m":9.094947017729283e-16,"setups":[],"levels":[{"number":1,"floor_m":0.002,"top_m":3.989,"area_m2":33.342735999999995,"floors_m":[-1.0,4.989]}],"coverage_m2":41.0,"coverage_cell_m":1.0,"point_spacing_m":null,"density_per_m2":null,"noise_m":null,"noise_quartiles_m":null,"survey_places":0}', '{"origin_m":[3.0,2.0,1.0],"unit":"metre","unit_source":"assumed","crs":null}', 300, 9821, 1795601295673, 1795601296119, 'scans/01a2122d-6938-7524-8368-9766ae589f23/1/01a2122d-6954-7784-a89b-7b3810570125', '[{"name":"plan-1.png","bytes":24371},{"name":"points.copc.laz","bytes":2324},{"name":"thumbnail.png","bytes":28187},{"name":"tiles.3tz","bytes":9821}]');
INSERT INTO public.versions VALUES ('01a2122d-6b6e-751e-ac45-8795ec2a9849', 1, 'failed', 'bad.ply', 701, '70d9db0014920a50ded35aa50a876bf31a4859980e6c7d9a6307d9aa3ea932b3', 'uploads/01a2122d-6b32-750b-9b0f-f9b7b3c9783a/source.bin', '01a2122d-6b6f-771c-bd70-29ed69898c00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1795601296239, NULL, NULL, NULL);
ALTER TABLE ONLY public.__diesel_schema_migrations
    ADD CONSTRAINT __diesel_schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.scans
    ADD CONSTRAINT scans_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.scans
    ADD CONSTRAINT scans_venue_id_name_key UNIQUE (venue_id, name);
ALTER TABLE ONLY public.venues
    ADD CONSTRAINT venues_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.venues
    ADD CONSTRAINT venues_slug_key UNIQUE (slug);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT versions_pkey PRIMARY KEY (scan_id, version);
CREATE INDEX jobs_open ON public.jobs USING btree (run_after) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));
CREATE INDEX versions_job ON public.versions USING btree (job_id);
ALTER TABLE ONLY public.scans
    ADD CONSTRAINT scans_venue_id_fkey FOREIGN KEY (venue_id) REFERENCES public.venues(id);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT versions_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(id);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT versions_scan_id_fkey FOREIGN KEY (scan_id) REFERENCES public.scans(id);
