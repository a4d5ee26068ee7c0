-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION mf_ext" to load this file. \quit

-- types
--
-- regclass, regrole and regtype for rows that are dumped and replicated: a dropped object is written as "-". Its number
-- could belong to another relation or role in another database, which would then be read, or own the model. A restore
-- that does not find an object warns, and restores the model without it.

CREATE TYPE @extschema@.mf_relation;
CREATE FUNCTION @extschema@.mf_relation_in(pg_catalog.cstring) RETURNS @extschema@.mf_relation
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mf_relation_in';
CREATE FUNCTION @extschema@.mf_relation_out(@extschema@.mf_relation) RETURNS pg_catalog.cstring
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mf_relation_out';
CREATE TYPE @extschema@.mf_relation (
    INPUT = @extschema@.mf_relation_in, OUTPUT = @extschema@.mf_relation_out, LIKE = pg_catalog.regclass);
CREATE CAST (@extschema@.mf_relation AS pg_catalog.regclass) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (pg_catalog.regclass AS @extschema@.mf_relation) WITHOUT FUNCTION AS ASSIGNMENT;

CREATE TYPE @extschema@.mf_role;
CREATE FUNCTION @extschema@.mf_role_in(pg_catalog.cstring) RETURNS @extschema@.mf_role
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mf_role_in';
CREATE FUNCTION @extschema@.mf_role_out(@extschema@.mf_role) RETURNS pg_catalog.cstring
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mf_role_out';
CREATE TYPE @extschema@.mf_role (
    INPUT = @extschema@.mf_role_in, OUTPUT = @extschema@.mf_role_out, LIKE = pg_catalog.regrole);
CREATE CAST (@extschema@.mf_role AS pg_catalog.regrole) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (pg_catalog.regrole AS @extschema@.mf_role) WITHOUT FUNCTION AS ASSIGNMENT;

CREATE TYPE @extschema@.mf_id_type;
CREATE FUNCTION @extschema@.mf_id_type_in(pg_catalog.cstring) RETURNS @extschema@.mf_id_type
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mf_id_type_in';
CREATE FUNCTION @extschema@.mf_id_type_out(@extschema@.mf_id_type) RETURNS pg_catalog.cstring
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mf_id_type_out';
CREATE TYPE @extschema@.mf_id_type (
    INPUT = @extschema@.mf_id_type_in, OUTPUT = @extschema@.mf_id_type_out, LIKE = pg_catalog.regtype);
CREATE CAST (@extschema@.mf_id_type AS pg_catalog.regtype) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (pg_catalog.regtype AS @extschema@.mf_id_type) WITHOUT FUNCTION AS ASSIGNMENT;

CREATE TYPE @extschema@.mf_grantee;
CREATE FUNCTION @extschema@.mf_grantee_in(pg_catalog.cstring) RETURNS @extschema@.mf_grantee
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mf_grantee_in';
CREATE FUNCTION @extschema@.mf_grantee_out(@extschema@.mf_grantee) RETURNS pg_catalog.cstring
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mf_grantee_out';
CREATE TYPE @extschema@.mf_grantee (
    INPUT = @extschema@.mf_grantee_in, OUTPUT = @extschema@.mf_grantee_out, LIKE = pg_catalog.regrole);
CREATE CAST (@extschema@.mf_grantee AS pg_catalog.regrole) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (pg_catalog.regrole AS @extschema@.mf_grantee) WITHOUT FUNCTION AS ASSIGNMENT;
-- So that it can be compared, and be part of a key.
CREATE CAST (@extschema@.mf_grantee AS pg_catalog.oid) WITHOUT FUNCTION AS IMPLICIT;

COMMENT ON TYPE @extschema@.mf_relation IS 'a relation of this database, or "-" if it was dropped';
COMMENT ON TYPE @extschema@.mf_role IS 'a role, or "-" if it was dropped';
COMMENT ON TYPE @extschema@.mf_id_type IS 'a type of ids, or "-" if it was dropped';
COMMENT ON TYPE @extschema@.mf_grantee IS 'a role, "public", or "-" if the role was dropped';
COMMENT ON FUNCTION @extschema@.mf_relation_in(pg_catalog.cstring) IS 'I/O';
COMMENT ON FUNCTION @extschema@.mf_relation_out(@extschema@.mf_relation) IS 'I/O';
COMMENT ON FUNCTION @extschema@.mf_role_in(pg_catalog.cstring) IS 'I/O';
COMMENT ON FUNCTION @extschema@.mf_role_out(@extschema@.mf_role) IS 'I/O';
COMMENT ON FUNCTION @extschema@.mf_id_type_in(pg_catalog.cstring) IS 'I/O';
COMMENT ON FUNCTION @extschema@.mf_id_type_out(@extschema@.mf_id_type) IS 'I/O';
COMMENT ON FUNCTION @extschema@.mf_grantee_in(pg_catalog.cstring) IS 'I/O';
COMMENT ON FUNCTION @extschema@.mf_grantee_out(@extschema@.mf_grantee) IS 'I/O';

-- tables
--
-- One row per trained version. model_id is never used twice, so it identifies one set of factors permanently. Only the
-- extension's owner may read the tables themselves; all others read them through the views below. Indexes have explicit
-- names: functions look them up by name, and must not find another object with the name they expect.

CREATE SEQUENCE @extschema@.mf_model_id_seq AS pg_catalog.int8;

CREATE TABLE @extschema@.mf_model_data (
    model_id      pg_catalog.int8        CONSTRAINT mf_model_data_pkey PRIMARY KEY
                                         DEFAULT pg_catalog.nextval('@extschema@.mf_model_id_seq'),
    model         pg_catalog.text        COLLATE pg_catalog."C" NOT NULL,
    version       pg_catalog.int4        NOT NULL,
    live          pg_catalog.bool        NOT NULL,
    owner         @extschema@.mf_role    NOT NULL,
    source        @extschema@.mf_relation NOT NULL,
    user_column   pg_catalog.name        NOT NULL,
    item_column   pg_catalog.name        NOT NULL,
    rating_column pg_catalog.name,
    time_column   pg_catalog.name,
    tenant_column pg_catalog.name,                  -- NULL: trained on all rows, and those of all users are its histories
    tenant        pg_catalog.text        COLLATE pg_catalog."C", -- the value that this column has in the rows it reads
    item_features @extschema@.mf_relation,          -- NULL: trained without features of items
    user_features @extschema@.mf_relation,          -- likewise of users
    user_type     @extschema@.mf_id_type NOT NULL,
    item_type     @extschema@.mf_id_type NOT NULL,
    feedback      pg_catalog.text        NOT NULL,
    algorithm     pg_catalog.text        NOT NULL,
    parameters    pg_catalog.jsonb       NOT NULL,
    users         pg_catalog.int8        NOT NULL,
    items         pg_catalog.int8        NOT NULL,
    ratings       pg_catalog.int8        NOT NULL,
    metrics       pg_catalog.jsonb       NOT NULL,
    trained_at    pg_catalog.timestamptz NOT NULL,
    seconds       pg_catalog.float8      NOT NULL,
    refreshed_at  pg_catalog.timestamptz,
    refreshed_items pg_catalog.int8      NOT NULL DEFAULT 0,
    CONSTRAINT mf_model_data_version_key UNIQUE (model, version),
    CONSTRAINT mf_model_data_tenant CHECK (pg_catalog.num_nulls(tenant_column, tenant) OPERATOR(pg_catalog.=) ANY (ARRAY[0, 2]))
);
CREATE UNIQUE INDEX mf_model_data_live_idx ON @extschema@.mf_model_data (model) WHERE live;

-- One row per training run that has stored a version, kept when the version goes. Role and source have the names that
-- they had then.
CREATE TABLE @extschema@.mf_training_data (
    model_id   pg_catalog.int8          CONSTRAINT mf_training_data_pkey PRIMARY KEY,
    model      pg_catalog.text          COLLATE pg_catalog."C" NOT NULL,
    version    pg_catalog.int4          NOT NULL,
    trained_at pg_catalog.timestamptz   NOT NULL,
    owner      @extschema@.mf_role      NOT NULL,
    role       pg_catalog.text          NOT NULL,
    source     pg_catalog.text          NOT NULL,
    parameters pg_catalog.jsonb         NOT NULL,
    users      pg_catalog.int8          NOT NULL,
    items      pg_catalog.int8          NOT NULL,
    ratings    pg_catalog.int8          NOT NULL,
    metrics    pg_catalog.jsonb         NOT NULL,
    seconds    pg_catalog.float8        NOT NULL,
    published  pg_catalog.bool          NOT NULL,
    message    pg_catalog.text
);
CREATE INDEX mf_training_data_model_idx ON @extschema@.mf_training_data (model);

-- Factors are stored in 32 bits, or in 16 with "storage": "half": then the columns of halves have their bits.
CREATE TABLE @extschema@.mf_user_factor_data (
    model_id        pg_catalog.int8     NOT NULL,
    user_id         pg_catalog.text     COLLATE pg_catalog."C" NOT NULL,
    interactions    pg_catalog.int4     NOT NULL,
    rating_bias     pg_catalog.float4,
    rating_factors  pg_catalog.float4[],
    ranking_factors pg_catalog.float4[],
    rating_halves   pg_catalog.int2[],
    ranking_halves  pg_catalog.int2[],
    history_digest  pg_catalog.int8     NOT NULL,
    CONSTRAINT mf_user_factor_data_factors CHECK (pg_catalog.num_nonnulls(ranking_factors, ranking_halves) OPERATOR(pg_catalog.=) 1),
    CONSTRAINT mf_user_factor_data_pkey PRIMARY KEY (model_id, user_id)
);

CREATE TABLE @extschema@.mf_item_factor_data (
    model_id        pg_catalog.int8     NOT NULL,
    item_id         pg_catalog.text     COLLATE pg_catalog."C" NOT NULL,
    interactions    pg_catalog.int4     NOT NULL,
    rating_bias     pg_catalog.float4,
    rating_factors  pg_catalog.float4[],
    ranking_factors pg_catalog.float4[],
    rating_halves   pg_catalog.int2[],
    ranking_halves  pg_catalog.int2[],
    source_rows     pg_catalog.int8     NOT NULL, -- before duplicates were merged into interactions
    popularity      pg_catalog.float4,            -- interactions by their age; NULL: all count alike
    CONSTRAINT mf_item_factor_data_factors CHECK (pg_catalog.num_nonnulls(ranking_factors, ranking_halves) OPERATOR(pg_catalog.=) 1),
    CONSTRAINT mf_item_factor_data_pkey PRIMARY KEY (model_id, item_id)
);

-- The linear maps from features of items and of users to their factors, of models that were trained with features: a
-- row for each feature, and the intercept's with an empty name.
CREATE TABLE @extschema@.mf_item_feature_data (
    model_id        pg_catalog.int8     NOT NULL,
    feature         pg_catalog.text     COLLATE pg_catalog."C" NOT NULL,
    kind            pg_catalog.text     NOT NULL,
    center          pg_catalog.float8   NOT NULL,
    scale           pg_catalog.float8   NOT NULL,
    rating_bias     pg_catalog.float4,
    rating_factors  pg_catalog.float4[],
    ranking_factors pg_catalog.float4[] NOT NULL,
    CONSTRAINT mf_item_feature_data_kind CHECK (kind OPERATOR(pg_catalog.=) ANY (ARRAY['category', 'number', 'intercept'])),
    CONSTRAINT mf_item_feature_data_pkey PRIMARY KEY (model_id, feature)
);

CREATE TABLE @extschema@.mf_user_feature_data (
    model_id        pg_catalog.int8     NOT NULL,
    feature         pg_catalog.text     COLLATE pg_catalog."C" NOT NULL,
    kind            pg_catalog.text     NOT NULL,
    center          pg_catalog.float8   NOT NULL,
    scale           pg_catalog.float8   NOT NULL,
    rating_bias     pg_catalog.float4,
    rating_factors  pg_catalog.float4[],
    ranking_factors pg_catalog.float4[] NOT NULL,
    CONSTRAINT mf_user_feature_data_kind CHECK (kind OPERATOR(pg_catalog.=) ANY (ARRAY['category', 'number', 'intercept'])),
    CONSTRAINT mf_user_feature_data_pkey PRIMARY KEY (model_id, feature)
);

-- Who may use a model besides its owner; all versions of a name together. Grantee 0 is PUBLIC.
CREATE TABLE @extschema@.mf_grant_data (
    model   pg_catalog.text         COLLATE pg_catalog."C" NOT NULL,
    grantee @extschema@.mf_grantee  NOT NULL,
    CONSTRAINT mf_grant_data_pkey PRIMARY KEY (model, grantee)
);
CREATE FUNCTION @extschema@.mf_skip_missing_grantee() RETURNS pg_catalog.trigger
    AS 'MODULE_PATHNAME', 'mf_skip_missing_grantee' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.mf_skip_missing_grantee() IS 'leaves out grants to roles that a restore does not find';
CREATE TRIGGER mf_skip_missing_grantee BEFORE INSERT ON @extschema@.mf_grant_data
    FOR EACH ROW EXECUTE FUNCTION @extschema@.mf_skip_missing_grantee();
-- Also where rows arrive by logical replication.
ALTER TABLE @extschema@.mf_grant_data ENABLE ALWAYS TRIGGER mf_skip_missing_grantee;

-- Training runs by background workers. Not dumped: a job belongs to the server that runs it.
CREATE SEQUENCE @extschema@.mf_job_id_seq AS pg_catalog.int8;
CREATE TABLE @extschema@.mf_job_data (
    job_id       pg_catalog.int8        NOT NULL,
    model        pg_catalog.text        COLLATE pg_catalog."C" NOT NULL,
    owner        pg_catalog.regrole     NOT NULL,
    session_role pg_catalog.regrole     NOT NULL, -- as which the worker connects
    source       pg_catalog.regclass    NOT NULL,
    task         pg_catalog.text        NOT NULL, -- train, retrain or refresh
    arguments    pg_catalog.jsonb       NOT NULL,
    settings     pg_catalog.jsonb       NOT NULL,
    status       pg_catalog.text        NOT NULL,
    queued_at    pg_catalog.timestamptz NOT NULL,
    started_at   pg_catalog.timestamptz,
    finished_at  pg_catalog.timestamptz,
    pid          pg_catalog.int4,
    behind       pg_catalog.int8,                 -- the job of the same model that this one waits for, without a worker
    version      pg_catalog.int4,
    message      pg_catalog.text,
    CONSTRAINT mf_job_data_pkey PRIMARY KEY (job_id)
);

-- Distributed training runs that are not done, each with tables of its own. Not dumped, like jobs.
CREATE TABLE @extschema@.mf_run_data (
    run         pg_catalog.int8        CONSTRAINT mf_run_data_pkey PRIMARY KEY,
    model       pg_catalog.text        COLLATE pg_catalog."C" NOT NULL CONSTRAINT mf_run_data_model_key UNIQUE,
    owner       pg_catalog.regrole     NOT NULL,
    arguments   pg_catalog.text        NOT NULL,
    places      pg_catalog.int4        NOT NULL,
    user_counts pg_catalog.bytea       NOT NULL, -- users in each bucket
    item_counts pg_catalog.bytea       NOT NULL,
    entries     pg_catalog.int8        NOT NULL,
    held_out    pg_catalog.int8        NOT NULL,
    found       pg_catalog.text,
    state       pg_catalog.bytea       NOT NULL, -- between two steps
    started_at  pg_catalog.timestamptz NOT NULL
);

-- Of distributed training runs of other servers, which send them here as to a foreign server: blocks of rows, and what they
-- need of other servers.
CREATE TABLE @extschema@.mf_block_data (
    run    pg_catalog.int8  NOT NULL,
    place  pg_catalog.int4  NOT NULL,
    side   pg_catalog.int4  NOT NULL,
    bucket pg_catalog.int4  NOT NULL,
    block  pg_catalog.bytea NOT NULL,
    CONSTRAINT mf_block_data_pkey PRIMARY KEY (run, side, bucket)
);
CREATE TABLE @extschema@.mf_shared_data (
    run     pg_catalog.int8  NOT NULL,
    place   pg_catalog.int4  NOT NULL,
    part    pg_catalog.int4  NOT NULL,
    kind    pg_catalog.int4  NOT NULL,
    version pg_catalog.int4  NOT NULL,
    bucket  pg_catalog.int4  NOT NULL,
    block   pg_catalog.bytea NOT NULL,
    CONSTRAINT mf_shared_data_pkey PRIMARY KEY (run, place, part, kind, version, bucket)
);
ALTER TABLE @extschema@.mf_block_data ALTER COLUMN block SET STORAGE EXTERNAL;
ALTER TABLE @extschema@.mf_shared_data ALTER COLUMN block SET STORAGE EXTERNAL;

-- Each training run leaves as many dead rows as a version has. Autovacuum must run after each, also where many versions
-- are kept.
ALTER TABLE @extschema@.mf_user_factor_data SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE @extschema@.mf_item_factor_data SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE @extschema@.mf_item_feature_data SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE @extschema@.mf_user_feature_data SET (autovacuum_vacuum_scale_factor = 0.05);

-- Trained floats do not compress; the attempt would cost time at every write.
ALTER TABLE @extschema@.mf_user_factor_data
    ALTER COLUMN rating_factors SET STORAGE EXTERNAL, ALTER COLUMN ranking_factors SET STORAGE EXTERNAL,
    ALTER COLUMN rating_halves SET STORAGE EXTERNAL, ALTER COLUMN ranking_halves SET STORAGE EXTERNAL;
ALTER TABLE @extschema@.mf_item_factor_data
    ALTER COLUMN rating_factors SET STORAGE EXTERNAL, ALTER COLUMN ranking_factors SET STORAGE EXTERNAL,
    ALTER COLUMN rating_halves SET STORAGE EXTERNAL, ALTER COLUMN ranking_halves SET STORAGE EXTERNAL;
ALTER TABLE @extschema@.mf_item_feature_data
    ALTER COLUMN rating_factors SET STORAGE EXTERNAL, ALTER COLUMN ranking_factors SET STORAGE EXTERNAL;
ALTER TABLE @extschema@.mf_user_feature_data
    ALTER COLUMN rating_factors SET STORAGE EXTERNAL, ALTER COLUMN ranking_factors SET STORAGE EXTERNAL;

COMMENT ON TABLE @extschema@.mf_model_data IS 'trained model versions; read them through mf_models';
COMMENT ON TABLE @extschema@.mf_training_data IS 'training runs; read them through mf_trainings';
COMMENT ON TABLE @extschema@.mf_user_factor_data IS 'factors of users; read them through mf_user_factors';
COMMENT ON TABLE @extschema@.mf_item_factor_data IS 'factors of items; read them through mf_item_factors';
COMMENT ON TABLE @extschema@.mf_item_feature_data IS 'the map from features of items to their factors; read it through mf_item_feature_factors';
COMMENT ON TABLE @extschema@.mf_user_feature_data IS 'the map from features of users to their factors; read it through mf_user_feature_factors';
COMMENT ON TABLE @extschema@.mf_grant_data IS 'grants of models; read them through mf_grants';
COMMENT ON TABLE @extschema@.mf_job_data IS 'jobs of mf_train_async; read them through mf_jobs';
COMMENT ON TABLE @extschema@.mf_run_data IS 'distributed training runs that are not done';
COMMENT ON TABLE @extschema@.mf_block_data IS 'rows of distributed training runs of other servers';
COMMENT ON TABLE @extschema@.mf_shared_data IS 'factors of distributed training runs of other servers';
COMMENT ON SEQUENCE @extschema@.mf_job_id_seq IS 'numbers of jobs';
COMMENT ON SEQUENCE @extschema@.mf_model_id_seq IS 'numbers of trained model versions';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.mf_model_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.mf_model_data', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.mf_training_data', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.mf_user_factor_data', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.mf_item_factor_data', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.mf_item_feature_data', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.mf_user_feature_data', '');
-- A dropped role would be dumped as its number, which may belong to another role in another server.
SELECT pg_catalog.pg_extension_config_dump('@extschema@.mf_grant_data',
    'WHERE grantee OPERATOR(pg_catalog.=) 0
        OR EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid OPERATOR(pg_catalog.=) grantee)');

CREATE FUNCTION @extschema@.mf_floats(halves pg_catalog.int2[]) RETURNS pg_catalog.float4[]
    AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.mf_floats(pg_catalog.int2[]) IS
    'the numbers whose 16-bit floats have the bits of these integers';

-- views
--
-- A role sees the models of the roles whose privileges it has and those that were granted to such roles or to PUBLIC;
-- a role that has the privileges of the extension's owner sees all. The functions follow the same rule.

CREATE VIEW @extschema@.mf_models WITH (security_barrier) AS
    SELECT model_id, model, version, live, owner::pg_catalog.regrole, source::pg_catalog.regclass,
           item_features::pg_catalog.regclass, user_features::pg_catalog.regclass, user_type::pg_catalog.regtype, item_type::pg_catalog.regtype, feedback, algorithm, parameters, users, items, ratings, metrics, trained_at, seconds,
           refreshed_at, refreshed_items, tenant_column, tenant
      FROM @extschema@.mf_model_data m
     WHERE pg_catalog.pg_has_role(owner::pg_catalog.regrole, 'USAGE')
        OR EXISTS (SELECT FROM @extschema@.mf_grant_data g
                    WHERE g.model OPERATOR(pg_catalog.=) m.model
                      AND (g.grantee OPERATOR(pg_catalog.=) 0 OR pg_catalog.pg_has_role(g.grantee, 'USAGE')))
        OR pg_catalog.pg_has_role((SELECT relowner FROM pg_catalog.pg_class
                                    WHERE oid OPERATOR(pg_catalog.=) '@extschema@.mf_model_data'::pg_catalog.regclass),
                                  'USAGE');

-- A run of a model that is gone is shown to those who had it: another model of the same name may be somebody else's.
CREATE VIEW @extschema@.mf_trainings WITH (security_barrier) AS
    SELECT model, version, trained_at, role, source, parameters, users, items, ratings,
           metrics, seconds, published, message
      FROM @extschema@.mf_training_data t
     WHERE pg_catalog.pg_has_role(owner::pg_catalog.regrole, 'USAGE')
        OR EXISTS (SELECT FROM @extschema@.mf_models m WHERE m.model_id OPERATOR(pg_catalog.=) t.model_id)
        OR pg_catalog.pg_has_role((SELECT relowner FROM pg_catalog.pg_class
                                    WHERE oid OPERATOR(pg_catalog.=) '@extschema@.mf_training_data'::pg_catalog.regclass),
                                  'USAGE');

CREATE VIEW @extschema@.mf_grants WITH (security_barrier) AS
    SELECT g.model, coalesce(r.rolname::pg_catalog.text, 'public') AS grantee
      FROM @extschema@.mf_grant_data g
      LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) g.grantee
     WHERE (r.oid IS NOT NULL OR g.grantee OPERATOR(pg_catalog.=) 0)
       AND EXISTS (SELECT FROM @extschema@.mf_models m WHERE m.model OPERATOR(pg_catalog.=) g.model);

CREATE VIEW @extschema@.mf_user_factors WITH (security_barrier) AS
    SELECT f.model_id, m.version, f.user_id, f.interactions, f.rating_bias,
           coalesce(f.rating_factors, @extschema@.mf_floats(f.rating_halves)) AS rating_factors,
           coalesce(f.ranking_factors, @extschema@.mf_floats(f.ranking_halves)) AS ranking_factors,
           f.history_digest
      FROM @extschema@.mf_user_factor_data f
      JOIN @extschema@.mf_models m ON m.model_id OPERATOR(pg_catalog.=) f.model_id;

CREATE VIEW @extschema@.mf_item_factors WITH (security_barrier) AS
    SELECT f.model_id, m.version, f.item_id, f.interactions, f.rating_bias,
           coalesce(f.rating_factors, @extschema@.mf_floats(f.rating_halves)) AS rating_factors,
           coalesce(f.ranking_factors, @extschema@.mf_floats(f.ranking_halves)) AS ranking_factors, f.popularity
      FROM @extschema@.mf_item_factor_data f
      JOIN @extschema@.mf_models m ON m.model_id OPERATOR(pg_catalog.=) f.model_id;

CREATE VIEW @extschema@.mf_item_feature_factors WITH (security_barrier) AS
    SELECT f.model_id, m.version, f.feature, f.kind, f.center, f.scale, f.rating_bias, f.rating_factors, f.ranking_factors
      FROM @extschema@.mf_item_feature_data f
      JOIN @extschema@.mf_models m ON m.model_id OPERATOR(pg_catalog.=) f.model_id;

CREATE VIEW @extschema@.mf_user_feature_factors WITH (security_barrier) AS
    SELECT f.model_id, m.version, f.feature, f.kind, f.center, f.scale, f.rating_bias, f.rating_factors, f.ranking_factors
      FROM @extschema@.mf_user_feature_data f
      JOIN @extschema@.mf_models m ON m.model_id OPERATOR(pg_catalog.=) f.model_id;

COMMENT ON VIEW @extschema@.mf_models IS 'trained models, one row per version';
COMMENT ON COLUMN @extschema@.mf_models.model_id IS 'number of this version, unique over all models';
COMMENT ON COLUMN @extschema@.mf_models.live IS 'whether this version serves';
COMMENT ON COLUMN @extschema@.mf_models.source IS 'relation the model was trained on and reads histories from';
COMMENT ON COLUMN @extschema@.mf_models.item_features IS 'relation of the features of items that the model was trained with; NULL: none';
COMMENT ON COLUMN @extschema@.mf_models.user_features IS 'relation of the features of users that the model was trained with; NULL: none';
COMMENT ON COLUMN @extschema@.mf_models.parameters IS 'arguments of the training run, numbers derived from the data, and in curves the loss and the metric of held-out rows after each iteration';
COMMENT ON COLUMN @extschema@.mf_models.ratings IS 'interactions after duplicates were merged';
COMMENT ON COLUMN @extschema@.mf_models.metrics IS 'train_rmse and iterations of the training run; of its test rows test_rmse, test_ndcg and the coverage of these lists, beside test_bias_rmse and test_popularity_ndcg; the test rows chose the iteration, so use mf_evaluate to measure on other rows';
COMMENT ON COLUMN @extschema@.mf_models.seconds IS 'wall time of the training run, from reading to storing';
COMMENT ON COLUMN @extschema@.mf_models.refreshed_at IS 'when mf_refresh_items last changed the items; NULL: they are those of the training run';
COMMENT ON COLUMN @extschema@.mf_models.refreshed_items IS 'items that mf_refresh_items has solved since the training run, each as often as it was';
COMMENT ON COLUMN @extschema@.mf_models.tenant_column IS 'column of the source that names tenants, for a model that mf_train_each has trained; NULL: the model reads all rows';
COMMENT ON COLUMN @extschema@.mf_models.tenant IS 'value of that column in the rows that the model reads';
COMMENT ON VIEW @extschema@.mf_trainings IS 'training runs, also those whose versions are gone';
COMMENT ON COLUMN @extschema@.mf_trainings.role IS 'who trained, by the name at that time';
COMMENT ON COLUMN @extschema@.mf_trainings.source IS 'relation it was trained on, by the name at that time';
COMMENT ON COLUMN @extschema@.mf_trainings.parameters IS 'as those of mf_models';
COMMENT ON COLUMN @extschema@.mf_trainings.metrics IS 'as those of mf_models';
COMMENT ON COLUMN @extschema@.mf_trainings.published IS 'whether the version has ever been live';
COMMENT ON COLUMN @extschema@.mf_trainings.message IS 'why it has not; NULL where it has';
COMMENT ON VIEW @extschema@.mf_grants IS 'roles that may use a model besides its owner';
COMMENT ON COLUMN @extschema@.mf_grants.grantee IS 'name of a role, or public';
COMMENT ON VIEW @extschema@.mf_user_factors IS 'factors of users, one row per user and version';
COMMENT ON COLUMN @extschema@.mf_user_factors.rating_factors IS 'serve mf_predict; NULL for implicit feedback';
COMMENT ON COLUMN @extschema@.mf_user_factors.ranking_factors IS 'a score is their dot product with those of an item';
COMMENT ON COLUMN @extschema@.mf_user_factors.history_digest IS 'shows whether the history has changed since the training run';
COMMENT ON VIEW @extschema@.mf_item_factors IS 'factors of items, one row per item and version';
COMMENT ON COLUMN @extschema@.mf_item_factors.rating_factors IS 'serve mf_predict; NULL for implicit feedback';
COMMENT ON COLUMN @extschema@.mf_item_factors.ranking_factors IS 'a score is their dot product with those of a user';
COMMENT ON COLUMN @extschema@.mf_item_factors.popularity IS 'interactions weighed by their age; NULL where all count alike';
COMMENT ON VIEW @extschema@.mf_item_feature_factors IS 'factors of features of items, one row per feature and version; those expected of an item are a weighted sum';
COMMENT ON COLUMN @extschema@.mf_item_feature_factors.feature IS 'name as mf_features gives it; empty: the intercept, which every item has';
COMMENT ON COLUMN @extschema@.mf_item_feature_factors.kind IS 'category, number or intercept';
COMMENT ON COLUMN @extschema@.mf_item_feature_factors.center IS 'of a number the mean, which is subtracted';
COMMENT ON COLUMN @extschema@.mf_item_feature_factors.scale IS 'by which a number less its center, or the weight of a category, is multiplied';
COMMENT ON COLUMN @extschema@.mf_item_feature_factors.rating_factors IS 'NULL for implicit feedback';
COMMENT ON VIEW @extschema@.mf_user_feature_factors IS 'factors of features of users, one row per feature and version; those expected of a user are a weighted sum';
COMMENT ON COLUMN @extschema@.mf_user_feature_factors.feature IS 'name as mf_features gives it; empty: the intercept, which every user has';
COMMENT ON COLUMN @extschema@.mf_user_feature_factors.kind IS 'category, number or intercept';
COMMENT ON COLUMN @extschema@.mf_user_feature_factors.center IS 'of a number the mean, which is subtracted';
COMMENT ON COLUMN @extschema@.mf_user_feature_factors.scale IS 'by which a number less its center, or the weight of a category, is multiplied';
COMMENT ON COLUMN @extschema@.mf_user_feature_factors.rating_factors IS 'NULL for implicit feedback';

-- training

CREATE FUNCTION @extschema@.mf_train(
    source pg_catalog.regclass,
    model pg_catalog.text DEFAULT NULL,
    user_column pg_catalog.name DEFAULT 'user_id',
    item_column pg_catalog.name DEFAULT 'item_id',
    rating_column pg_catalog.name DEFAULT 'rating',
    feedback pg_catalog.text DEFAULT 'explicit',
    algorithm pg_catalog.text DEFAULT NULL,
    factors pg_catalog.int4 DEFAULT NULL,
    iterations pg_catalog.int4 DEFAULT NULL,
    regularization pg_catalog.float8 DEFAULT NULL,
    test_fraction pg_catalog.float8 DEFAULT 0,
    seed pg_catalog.int8 DEFAULT 1,
    options pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (
    model pg_catalog.text, version pg_catalog.int4, users pg_catalog.int8, items pg_catalog.int8,
    ratings pg_catalog.int8, iterations pg_catalog.int4, train_rmse pg_catalog.float8,
    test_rmse pg_catalog.float8, test_ndcg pg_catalog.float8, seconds pg_catalog.float8, found pg_catalog.jsonb,
    message pg_catalog.text)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 1
AS 'MODULE_PATHNAME', 'mf_train';

COMMENT ON FUNCTION @extschema@.mf_train IS
    'trains a model from the interactions in a relation and makes it live; found: numbers that were not given, as found from the data; message: why the version is not live, or NULL';

CREATE FUNCTION @extschema@.mf_retrain(model pg_catalog.text)
RETURNS TABLE (
    model pg_catalog.text, version pg_catalog.int4, users pg_catalog.int8, items pg_catalog.int8,
    ratings pg_catalog.int8, iterations pg_catalog.int4, train_rmse pg_catalog.float8,
    test_rmse pg_catalog.float8, test_ndcg pg_catalog.float8, seconds pg_catalog.float8, found pg_catalog.jsonb,
    message pg_catalog.text)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 1
AS 'MODULE_PATHNAME', 'mf_retrain';

COMMENT ON FUNCTION @extschema@.mf_retrain IS
    'trains a model again with its own arguments, from the factors of its live version, in a third of the iterations';

CREATE FUNCTION @extschema@.mf_train_each(
    source pg_catalog.regclass,
    by pg_catalog.name,
    model pg_catalog.text,
    user_column pg_catalog.name DEFAULT 'user_id',
    item_column pg_catalog.name DEFAULT 'item_id',
    rating_column pg_catalog.name DEFAULT 'rating',
    feedback pg_catalog.text DEFAULT 'explicit',
    algorithm pg_catalog.text DEFAULT NULL,
    factors pg_catalog.int4 DEFAULT NULL,
    iterations pg_catalog.int4 DEFAULT NULL,
    regularization pg_catalog.float8 DEFAULT NULL,
    test_fraction pg_catalog.float8 DEFAULT 0,
    seed pg_catalog.int8 DEFAULT 1,
    options pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (
    value pg_catalog.text, model pg_catalog.text, version pg_catalog.int4, users pg_catalog.int8,
    items pg_catalog.int8, ratings pg_catalog.int8, seconds pg_catalog.float8, message pg_catalog.text)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 1000
AS 'MODULE_PATHNAME', 'mf_train_each';

COMMENT ON FUNCTION @extschema@.mf_train_each IS
    'trains a model for each value of a column, a tenant, on the rows that have it; the model of value 17 is model/17 and reads those rows only; message: why a tenant has no new live version';

CREATE FUNCTION @extschema@.mf_train_async(
    source pg_catalog.regclass,
    model pg_catalog.text DEFAULT NULL,
    user_column pg_catalog.name DEFAULT 'user_id',
    item_column pg_catalog.name DEFAULT 'item_id',
    rating_column pg_catalog.name DEFAULT 'rating',
    feedback pg_catalog.text DEFAULT 'explicit',
    algorithm pg_catalog.text DEFAULT NULL,
    factors pg_catalog.int4 DEFAULT NULL,
    iterations pg_catalog.int4 DEFAULT NULL,
    regularization pg_catalog.float8 DEFAULT NULL,
    test_fraction pg_catalog.float8 DEFAULT 0,
    seed pg_catalog.int8 DEFAULT 1,
    options pg_catalog.jsonb DEFAULT '{}')
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000
AS 'MODULE_PATHNAME', 'mf_train_async';

CREATE FUNCTION @extschema@.mf_retrain_async(model pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000
AS 'MODULE_PATHNAME', 'mf_retrain_async';

CREATE FUNCTION @extschema@.mf_refresh_items(model pg_catalog.text, min_interactions pg_catalog.int8 DEFAULT 1)
RETURNS TABLE (new_items pg_catalog.int8, updated_items pg_catalog.int8, seconds pg_catalog.float8)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 1
AS 'MODULE_PATHNAME', 'mf_refresh_items';

CREATE FUNCTION @extschema@.mf_refresh_items_async(model pg_catalog.text, min_interactions pg_catalog.int8 DEFAULT 1)
RETURNS pg_catalog.int8
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000
AS 'MODULE_PATHNAME', 'mf_refresh_items_async';

COMMENT ON FUNCTION @extschema@.mf_refresh_items IS
    'solves new items, and those whose interactions have changed by a quarter, for the live version of a model; items without interactions leave';
COMMENT ON FUNCTION @extschema@.mf_refresh_items_async IS
    'starts mf_refresh_items in a background worker once this transaction has committed; returns the number of the job';

-- What distributed training runs do where the rows are (docs/scale-out.md). Pure functions of blocks, so that they can be
-- shipped; the text form of a block is that of bytea. The final functions have no COST, although they take seconds: the same
-- large cost of all plans would hide from the planner that it is cheaper to ship them than to fetch the blocks.

CREATE FUNCTION @extschema@.mf_row_heads(rows pg_catalog.bytea) RETURNS pg_catalog.bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'mf_row_heads';
CREATE FUNCTION @extschema@.mf_step_sums(factors pg_catalog.bytea) RETURNS pg_catalog.bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'mf_step_sums';

CREATE FUNCTION @extschema@.mf_collect_parts(
    state pg_catalog.internal, rows pg_catalog.bytea, bucket pg_catalog.int4, part pg_catalog.bytea, arguments pg_catalog.bytea)
RETURNS pg_catalog.internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mf_collect_parts';
CREATE FUNCTION @extschema@.mf_joined_parts(state pg_catalog.internal) RETURNS pg_catalog.bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mf_joined_parts';
CREATE FUNCTION @extschema@.mf_numbered_rows(state pg_catalog.internal) RETURNS pg_catalog.bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mf_numbered_rows';
CREATE AGGREGATE @extschema@.mf_join_parts(
    rows pg_catalog.bytea, bucket pg_catalog.int4, part pg_catalog.bytea, arguments pg_catalog.bytea) (
    SFUNC = @extschema@.mf_collect_parts, STYPE = pg_catalog.internal, FINALFUNC = @extschema@.mf_joined_parts,
    PARALLEL = SAFE);
CREATE AGGREGATE @extschema@.mf_number_rows(
    rows pg_catalog.bytea, bucket pg_catalog.int4, part pg_catalog.bytea, arguments pg_catalog.bytea) (
    SFUNC = @extschema@.mf_collect_parts, STYPE = pg_catalog.internal, FINALFUNC = @extschema@.mf_numbered_rows,
    PARALLEL = SAFE);

CREATE FUNCTION @extschema@.mf_add_half_step(
    state pg_catalog.internal, rows pg_catalog.bytea, side pg_catalog.int4, bucket pg_catalog.int4, part pg_catalog.int4,
    part_bucket pg_catalog.int4, bytes pg_catalog.bytea)
RETURNS pg_catalog.internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mf_add_half_step';
CREATE FUNCTION @extschema@.mf_half_step_result(state pg_catalog.internal) RETURNS pg_catalog.bytea
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'mf_half_step_result';
CREATE AGGREGATE @extschema@.mf_half_step(
    rows pg_catalog.bytea, side pg_catalog.int4, bucket pg_catalog.int4, part pg_catalog.int4, part_bucket pg_catalog.int4,
    bytes pg_catalog.bytea) (
    SFUNC = @extschema@.mf_add_half_step, STYPE = pg_catalog.internal, FINALFUNC = @extschema@.mf_half_step_result,
    PARALLEL = SAFE);

-- For training runs alone, which run them as the owner of the extension.
REVOKE ALL ON FUNCTION @extschema@.mf_row_heads, @extschema@.mf_step_sums,
    @extschema@.mf_collect_parts, @extschema@.mf_joined_parts, @extschema@.mf_numbered_rows, @extschema@.mf_join_parts,
    @extschema@.mf_number_rows, @extschema@.mf_add_half_step, @extschema@.mf_half_step_result, @extschema@.mf_half_step
    FROM PUBLIC;

COMMENT ON FUNCTION @extschema@.mf_row_heads IS
    'what a block of rows of a distributed training run says of them beside their entries';
COMMENT ON FUNCTION @extschema@.mf_step_sums IS 'sums that a step of a distributed training run has left beside its factors';
COMMENT ON FUNCTION @extschema@.mf_collect_parts IS 'transition function of mf_join_parts and mf_number_rows';
COMMENT ON FUNCTION @extschema@.mf_joined_parts IS 'final function of mf_join_parts';
COMMENT ON FUNCTION @extschema@.mf_numbered_rows IS 'final function of mf_number_rows';
COMMENT ON AGGREGATE @extschema@.mf_join_parts(pg_catalog.bytea, pg_catalog.int4, pg_catalog.bytea, pg_catalog.bytea) IS
    'a block of items of a distributed training run from its parts';
COMMENT ON AGGREGATE @extschema@.mf_number_rows(pg_catalog.bytea, pg_catalog.int4, pg_catalog.bytea, pg_catalog.bytea) IS
    'a block of users of a distributed training run with the numbers of all items as its columns';
COMMENT ON FUNCTION @extschema@.mf_add_half_step IS 'transition function of mf_half_step';
COMMENT ON FUNCTION @extschema@.mf_half_step_result IS 'final function of mf_half_step';
COMMENT ON AGGREGATE @extschema@.mf_half_step(
    pg_catalog.bytea, pg_catalog.int4, pg_catalog.int4, pg_catalog.int4, pg_catalog.int4, pg_catalog.bytea) IS
    'runs a step of a distributed training run for a bucket of rows';

CREATE FUNCTION @extschema@.mf_cancel_job(job_id pg_catalog.int8)
RETURNS pg_catalog.bool
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100
AS 'MODULE_PATHNAME', 'mf_cancel_job';

CREATE FUNCTION @extschema@.mf_job_is_alive(job_id pg_catalog.int8)
RETURNS pg_catalog.bool
LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'mf_job_is_alive';

COMMENT ON FUNCTION @extschema@.mf_train_async IS
    'starts mf_train with the same arguments in a background worker once this transaction has committed; returns the number of the job';
COMMENT ON FUNCTION @extschema@.mf_retrain_async IS
    'starts mf_retrain in a background worker once this transaction has committed; returns the number of the job';
COMMENT ON FUNCTION @extschema@.mf_cancel_job IS 'cancels a job; false if it had already ended';
COMMENT ON FUNCTION @extschema@.mf_job_is_alive IS 'whether a background worker exists for a job, or for the one that it waits for';

-- A worker that was killed leaves its job, and those behind it, in their last status. A new worker needs a moment to start.
CREATE VIEW @extschema@.mf_jobs WITH (security_barrier) AS
    SELECT job_id, model, owner, source, task, arguments,
           CASE WHEN lost THEN 'failed' ELSE status END AS status,
           queued_at, started_at, finished_at, version,
           CASE WHEN lost THEN 'the server or the worker was stopped' ELSE message END AS message,
           CASE WHEN status OPERATOR(pg_catalog.=) 'running' AND NOT lost THEN pid END AS pid
      FROM (SELECT job_id, model, owner, source, task, arguments, status, queued_at, started_at, finished_at, version,
                   message, pid, finished_at IS NULL
                        AND (status OPERATOR(pg_catalog.=) 'running'
                             OR queued_at OPERATOR(pg_catalog.<)
                                (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) '30 s'::pg_catalog.interval))
                        AND NOT pg_catalog.pg_is_in_recovery()
                        AND NOT @extschema@.mf_job_is_alive(job_id) AS lost
              FROM @extschema@.mf_job_data) AS jobs
     WHERE pg_catalog.pg_has_role(owner, 'USAGE')
        OR pg_catalog.pg_has_role((SELECT relowner FROM pg_catalog.pg_class
                                    WHERE oid OPERATOR(pg_catalog.=) '@extschema@.mf_job_data'::pg_catalog.regclass),
                                  'USAGE');

COMMENT ON VIEW @extschema@.mf_jobs IS 'jobs of mf_train_async, mf_retrain_async and mf_refresh_items_async and their outcome';
COMMENT ON COLUMN @extschema@.mf_jobs.owner IS 'role that asked for the job, with whose rights it runs';
COMMENT ON COLUMN @extschema@.mf_jobs.task IS 'train, retrain or refresh';
COMMENT ON COLUMN @extschema@.mf_jobs.arguments IS 'arguments of mf_train or mf_refresh_items; none for mf_retrain, which uses those of the model';
COMMENT ON COLUMN @extschema@.mf_jobs.status IS 'queued, running, done, failed or cancelled';
COMMENT ON COLUMN @extschema@.mf_jobs.version IS 'version of the model that the job has stored, or whose items it has refreshed, once it is done';
COMMENT ON COLUMN @extschema@.mf_jobs.message IS 'why the job failed or was cancelled, why its version is not live, or what a refresh has done';
COMMENT ON COLUMN @extschema@.mf_jobs.pid IS 'process of the worker while it runs; mf_progress shows its progress';

CREATE FUNCTION @extschema@.mf_estimate(
    source pg_catalog.regclass,
    model pg_catalog.text DEFAULT NULL,
    user_column pg_catalog.name DEFAULT 'user_id',
    item_column pg_catalog.name DEFAULT 'item_id',
    rating_column pg_catalog.name DEFAULT 'rating',
    feedback pg_catalog.text DEFAULT 'explicit',
    algorithm pg_catalog.text DEFAULT NULL,
    factors pg_catalog.int4 DEFAULT NULL,
    iterations pg_catalog.int4 DEFAULT NULL,
    regularization pg_catalog.float8 DEFAULT NULL,
    test_fraction pg_catalog.float8 DEFAULT 0,
    seed pg_catalog.int8 DEFAULT 1,
    options pg_catalog.jsonb DEFAULT '{}')
RETURNS TABLE (users pg_catalog.int8, items pg_catalog.int8, ratings pg_catalog.int8, memory pg_catalog.int8,
               seconds pg_catalog.float8)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 1
AS 'MODULE_PATHNAME', 'mf_estimate';

COMMENT ON FUNCTION @extschema@.mf_estimate IS
    'users, items and ratings that mf_train with the same arguments would read, and the bytes of memory and the seconds it would take';

CREATE FUNCTION @extschema@.mf_features(relation pg_catalog.regclass, id_column pg_catalog.name)
RETURNS TABLE (feature pg_catalog.text, kind pg_catalog.text, ids pg_catalog.int8)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 1000
AS 'MODULE_PATHNAME', 'mf_features';

COMMENT ON FUNCTION @extschema@.mf_features IS
    'features that are read from a relation: name, category or number, and how many ids have it, most ids first';

CREATE FUNCTION @extschema@.mf_training_progress()
RETURNS TABLE (
    pid pg_catalog.int4, model pg_catalog.text, phase pg_catalog.text, iterations_done pg_catalog.int4,
    iterations_total pg_catalog.int4, loss pg_catalog.float8, rows_read pg_catalog.int8,
    rows_per_second pg_catalog.float8, seconds pg_catalog.float8, seconds_left pg_catalog.float8)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 10 ROWS 1
AS 'MODULE_PATHNAME', 'mf_training_progress';

COMMENT ON FUNCTION @extschema@.mf_training_progress IS 'rows of the view mf_progress';

CREATE VIEW @extschema@.mf_progress AS
    SELECT pid, model, phase, iterations_done, iterations_total, loss, rows_read, rows_per_second, seconds, seconds_left
      FROM @extschema@.mf_training_progress();

COMMENT ON VIEW @extschema@.mf_progress IS 'training runs and refreshes in progress in this database, one row per session that trains';
COMMENT ON COLUMN @extschema@.mf_progress.phase IS
    'reading, packing, sorting, search, training, rating factors, ranking factors, storing, cross-validation or tuning; of mf_refresh_items counting, reading, sorting, solving or storing';
COMMENT ON COLUMN @extschema@.mf_progress.iterations_done IS 'completed iterations of the phase; in a search, the points tried';
COMMENT ON COLUMN @extschema@.mf_progress.loss IS 'training objective per interaction after the last iteration';
COMMENT ON COLUMN @extschema@.mf_progress.seconds_left IS
    'estimated seconds until the last iteration ends, without early stopping; NULL before the first one has ended';

CREATE FUNCTION @extschema@.mf_cached_items()
RETURNS TABLE (
    database pg_catalog.text, model pg_catalog.text, version pg_catalog.int4, model_id pg_catalog.int8,
    items pg_catalog.int8, bytes pg_catalog.int8, hits pg_catalog.int8, built_at pg_catalog.timestamptz,
    last_used pg_catalog.timestamptz)
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 10 ROWS 1
AS 'MODULE_PATHNAME', 'mf_cached_items';

COMMENT ON FUNCTION @extschema@.mf_cached_items IS 'rows of the view mf_cache';

CREATE VIEW @extschema@.mf_cache AS
    SELECT database, model, version, model_id, items, bytes, hits, built_at, last_used
      FROM @extschema@.mf_cached_items();

COMMENT ON VIEW @extschema@.mf_cache IS
    'cached item factors in the server''s shared memory, one row per cached model version that the caller may use; members of pg_read_all_stats see all databases';
COMMENT ON COLUMN @extschema@.mf_cache.bytes IS 'shared memory taken; mf_ext.cache_size limits the sum over all models';
COMMENT ON COLUMN @extschema@.mf_cache.hits IS 'calls served from this copy';
COMMENT ON COLUMN @extschema@.mf_cache.last_used IS 'start of the last statement that used this copy';

CREATE FUNCTION @extschema@.mf_drop_model(model pg_catalog.text, version pg_catalog.int8 DEFAULT NULL)
RETURNS pg_catalog.int4
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000
AS 'MODULE_PATHNAME', 'mf_drop_model';

COMMENT ON FUNCTION @extschema@.mf_drop_model IS
    'deletes a model, or one version of it, and returns the number of versions deleted';

CREATE FUNCTION @extschema@.mf_set_live(model pg_catalog.text, version pg_catalog.int8)
RETURNS pg_catalog.int4
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000
AS 'MODULE_PATHNAME', 'mf_set_live';

CREATE FUNCTION @extschema@.mf_rename_model(model pg_catalog.text, new_name pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000
AS 'MODULE_PATHNAME', 'mf_rename_model';

COMMENT ON FUNCTION @extschema@.mf_set_live IS 'makes a version of a model live, and returns the version that was live';
COMMENT ON FUNCTION @extschema@.mf_rename_model IS 'gives a model, with its versions and grants, another name';

CREATE FUNCTION @extschema@.mf_forget_user(user_id pg_catalog.int8, model pg_catalog.text DEFAULT NULL)
RETURNS TABLE (model pg_catalog.text, version pg_catalog.int4)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 2
AS 'MODULE_PATHNAME', 'mf_forget_user_integer';

CREATE FUNCTION @extschema@.mf_forget_user(user_id pg_catalog.uuid, model pg_catalog.text DEFAULT NULL)
RETURNS TABLE (model pg_catalog.text, version pg_catalog.int4)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 2
AS 'MODULE_PATHNAME', 'mf_forget_user_uuid';

CREATE FUNCTION @extschema@.mf_forget_user(user_id pg_catalog.text, model pg_catalog.text DEFAULT NULL)
RETURNS TABLE (model pg_catalog.text, version pg_catalog.int4)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 2
AS 'MODULE_PATHNAME', 'mf_forget_user_text';

COMMENT ON FUNCTION @extschema@.mf_forget_user(pg_catalog.int8, pg_catalog.text) IS
    'deletes the factors of a user from all versions of a model, or of all models of the caller, and lists these versions';
COMMENT ON FUNCTION @extschema@.mf_forget_user(pg_catalog.uuid, pg_catalog.text) IS
    'deletes the factors of a user from all versions of a model, or of all models of the caller, and lists these versions';
COMMENT ON FUNCTION @extschema@.mf_forget_user(pg_catalog.text, pg_catalog.text) IS
    'deletes the factors of a user from all versions of a model, or of all models of the caller, and lists these versions';

CREATE FUNCTION @extschema@.mf_grant(model pg_catalog.text, grantee pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000
AS 'MODULE_PATHNAME', 'mf_grant';

CREATE FUNCTION @extschema@.mf_revoke(model pg_catalog.text, grantee pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000
AS 'MODULE_PATHNAME', 'mf_revoke';

CREATE FUNCTION @extschema@.mf_set_owner(model pg_catalog.text, owner pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000
AS 'MODULE_PATHNAME', 'mf_set_owner';

COMMENT ON FUNCTION @extschema@.mf_grant IS 'lets a role, or public, use a model: recommend, predict, evaluate, read factors';
COMMENT ON FUNCTION @extschema@.mf_revoke IS 'revokes what mf_grant has granted';
COMMENT ON FUNCTION @extschema@.mf_set_owner IS 'transfers a model to another role, with whose rights histories are read from then on';

CREATE FUNCTION @extschema@.mf_distribute_model(model pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000
AS 'MODULE_PATHNAME', 'mf_distribute_model';

CREATE FUNCTION @extschema@.mf_undistribute_model(model pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000
AS 'MODULE_PATHNAME', 'mf_undistribute_model';

COMMENT ON FUNCTION @extschema@.mf_undistribute_model IS
    'deletes what mf_distribute_model has copied: the model is on the coordinator only';
COMMENT ON FUNCTION @extschema@.mf_distribute_model IS
    'copies a model to all nodes of a Citus cluster, and its later versions and changes as they are committed';

-- prediction

CREATE FUNCTION @extschema@.mf_predict(user_id pg_catalog.int8, item_id pg_catalog.int8, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS pg_catalog.float4
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100
AS 'MODULE_PATHNAME', 'mf_predict_integer';

CREATE FUNCTION @extschema@.mf_predict(user_id pg_catalog.uuid, item_id pg_catalog.uuid, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS pg_catalog.float4
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100
AS 'MODULE_PATHNAME', 'mf_predict_uuid';

CREATE FUNCTION @extschema@.mf_predict(user_id pg_catalog.text, item_id pg_catalog.text, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS pg_catalog.float4
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100
AS 'MODULE_PATHNAME', 'mf_predict_text';

CREATE FUNCTION @extschema@.mf_predictions(user_id pg_catalog.int8, item_ids pg_catalog.int8[] DEFAULT NULL, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (item_id pg_catalog.int8, prediction pg_catalog.float4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 1000
AS 'MODULE_PATHNAME', 'mf_predictions_integer';

CREATE FUNCTION @extschema@.mf_predictions(user_id pg_catalog.uuid, item_ids pg_catalog.uuid[] DEFAULT NULL, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (item_id pg_catalog.uuid, prediction pg_catalog.float4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 1000
AS 'MODULE_PATHNAME', 'mf_predictions_uuid';

CREATE FUNCTION @extschema@.mf_predictions(user_id pg_catalog.text, item_ids pg_catalog.text[] DEFAULT NULL, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (item_id pg_catalog.text, prediction pg_catalog.float4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 1000
AS 'MODULE_PATHNAME', 'mf_predictions_text';

COMMENT ON FUNCTION @extschema@.mf_predict(pg_catalog.int8, pg_catalog.int8, pg_catalog.text, pg_catalog.int8) IS
    'predicted rating (explicit feedback) or preference score (implicit feedback) of a user for an item';
COMMENT ON FUNCTION @extschema@.mf_predictions(pg_catalog.int8, pg_catalog.int8[], pg_catalog.text, pg_catalog.int8) IS
    'predictions of a user for the given items, or for every item';
COMMENT ON FUNCTION @extschema@.mf_predict(pg_catalog.uuid, pg_catalog.uuid, pg_catalog.text, pg_catalog.int8) IS
    'predicted rating (explicit feedback) or preference score (implicit feedback) of a user for an item';
COMMENT ON FUNCTION @extschema@.mf_predictions(pg_catalog.uuid, pg_catalog.uuid[], pg_catalog.text, pg_catalog.int8) IS
    'predictions of a user for the given items, or for every item';
COMMENT ON FUNCTION @extschema@.mf_predict(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.int8) IS
    'predicted rating (explicit feedback) or preference score (implicit feedback) of a user for an item';
COMMENT ON FUNCTION @extschema@.mf_predictions(pg_catalog.text, pg_catalog.text[], pg_catalog.text, pg_catalog.int8) IS
    'predictions of a user for the given items, or for every item';

-- recommendation

CREATE FUNCTION @extschema@.mf_list_support(pg_catalog.internal)
RETURNS pg_catalog.internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mf_list_support';

COMMENT ON FUNCTION @extschema@.mf_list_support IS 'planner support: the argument n of a function is the estimated number of rows of its result';

CREATE FUNCTION @extschema@.mf_recommend(
    user_id pg_catalog.int8, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    exclude_seen pg_catalog.bool DEFAULT true, candidates pg_catalog.int8[] DEFAULT NULL, exclude pg_catalog.int8[] DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL, diversity pg_catalog.float8 DEFAULT 0)
RETURNS TABLE (item_id pg_catalog.int8, score pg_catalog.float4, predicted_rating pg_catalog.float4, basis pg_catalog.text, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_recommend_integer';

CREATE FUNCTION @extschema@.mf_recommend(
    user_id pg_catalog.uuid, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    exclude_seen pg_catalog.bool DEFAULT true, candidates pg_catalog.uuid[] DEFAULT NULL, exclude pg_catalog.uuid[] DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL, diversity pg_catalog.float8 DEFAULT 0)
RETURNS TABLE (item_id pg_catalog.uuid, score pg_catalog.float4, predicted_rating pg_catalog.float4, basis pg_catalog.text, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_recommend_uuid';

CREATE FUNCTION @extschema@.mf_recommend(
    user_id pg_catalog.text, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    exclude_seen pg_catalog.bool DEFAULT true, candidates pg_catalog.text[] DEFAULT NULL, exclude pg_catalog.text[] DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL, diversity pg_catalog.float8 DEFAULT 0)
RETURNS TABLE (item_id pg_catalog.text, score pg_catalog.float4, predicted_rating pg_catalog.float4, basis pg_catalog.text, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_recommend_text';

COMMENT ON FUNCTION @extschema@.mf_recommend(pg_catalog.int8, pg_catalog.int8, pg_catalog.text, pg_catalog.bool, pg_catalog.int8[], pg_catalog.int8[], pg_catalog.int8, pg_catalog.float8) IS
    'the n best items for a user, best first, from the user''s current history';
COMMENT ON FUNCTION @extschema@.mf_recommend(pg_catalog.uuid, pg_catalog.int8, pg_catalog.text, pg_catalog.bool, pg_catalog.uuid[], pg_catalog.uuid[], pg_catalog.int8, pg_catalog.float8) IS
    'the n best items for a user, best first, from the user''s current history';
COMMENT ON FUNCTION @extschema@.mf_recommend(pg_catalog.text, pg_catalog.int8, pg_catalog.text, pg_catalog.bool, pg_catalog.text[], pg_catalog.text[], pg_catalog.int8, pg_catalog.float8) IS
    'the n best items for a user, best first, from the user''s current history';

-- a basket instead of a user, similarity, explanation

CREATE FUNCTION @extschema@.mf_recommend_for(
    item_ids pg_catalog.int8[], ratings pg_catalog.float8[] DEFAULT NULL, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    candidates pg_catalog.int8[] DEFAULT NULL, exclude pg_catalog.int8[] DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL, diversity pg_catalog.float8 DEFAULT 0)
RETURNS TABLE (item_id pg_catalog.int8, score pg_catalog.float4, predicted_rating pg_catalog.float4, basis pg_catalog.text, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_recommend_for_integer';

CREATE FUNCTION @extschema@.mf_recommend_for(
    item_ids pg_catalog.uuid[], ratings pg_catalog.float8[] DEFAULT NULL, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    candidates pg_catalog.uuid[] DEFAULT NULL, exclude pg_catalog.uuid[] DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL, diversity pg_catalog.float8 DEFAULT 0)
RETURNS TABLE (item_id pg_catalog.uuid, score pg_catalog.float4, predicted_rating pg_catalog.float4, basis pg_catalog.text, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_recommend_for_uuid';

CREATE FUNCTION @extschema@.mf_recommend_for(
    item_ids pg_catalog.text[], ratings pg_catalog.float8[] DEFAULT NULL, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    candidates pg_catalog.text[] DEFAULT NULL, exclude pg_catalog.text[] DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL, diversity pg_catalog.float8 DEFAULT 0)
RETURNS TABLE (item_id pg_catalog.text, score pg_catalog.float4, predicted_rating pg_catalog.float4, basis pg_catalog.text, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_recommend_for_text';

CREATE FUNCTION @extschema@.mf_similar_items(item_id pg_catalog.int8, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (item_id pg_catalog.int8, similarity pg_catalog.float4, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_similar_items_integer';

CREATE FUNCTION @extschema@.mf_similar_items(item_id pg_catalog.uuid, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (item_id pg_catalog.uuid, similarity pg_catalog.float4, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_similar_items_uuid';

CREATE FUNCTION @extschema@.mf_similar_items(item_id pg_catalog.text, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (item_id pg_catalog.text, similarity pg_catalog.float4, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_similar_items_text';

CREATE FUNCTION @extschema@.mf_similar_users(user_id pg_catalog.int8, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (user_id pg_catalog.int8, similarity pg_catalog.float4, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_similar_users_integer';

CREATE FUNCTION @extschema@.mf_similar_users(user_id pg_catalog.uuid, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (user_id pg_catalog.uuid, similarity pg_catalog.float4, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_similar_users_uuid';

CREATE FUNCTION @extschema@.mf_similar_users(user_id pg_catalog.text, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (user_id pg_catalog.text, similarity pg_catalog.float4, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_similar_users_text';

CREATE FUNCTION @extschema@.mf_explain(
    user_id pg_catalog.int8, item_id pg_catalog.int8, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (item_id pg_catalog.int8, contribution pg_catalog.float4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_explain_integer';

CREATE FUNCTION @extschema@.mf_explain(
    user_id pg_catalog.uuid, item_id pg_catalog.uuid, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (item_id pg_catalog.uuid, contribution pg_catalog.float4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_explain_uuid';

CREATE FUNCTION @extschema@.mf_explain(
    user_id pg_catalog.text, item_id pg_catalog.text, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (item_id pg_catalog.text, contribution pg_catalog.float4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_explain_text';

COMMENT ON FUNCTION @extschema@.mf_explain(pg_catalog.int8, pg_catalog.int8, pg_catalog.int8, pg_catalog.text, pg_catalog.int8) IS
    'contributions of the user''s items to the score of an item, the rest of which is what features of the user let expect; ids are bigint';
COMMENT ON FUNCTION @extschema@.mf_explain(pg_catalog.uuid, pg_catalog.uuid, pg_catalog.int8, pg_catalog.text, pg_catalog.int8) IS
    'contributions of the user''s items to the score of an item, the rest of which is what features of the user let expect; ids are uuid';
COMMENT ON FUNCTION @extschema@.mf_explain(pg_catalog.text, pg_catalog.text, pg_catalog.int8, pg_catalog.text, pg_catalog.int8) IS
    'contributions of the user''s items to the score of an item, the rest of which is what features of the user let expect; ids of any type as text';

CREATE FUNCTION @extschema@.mf_explain_item(item_id pg_catalog.int8, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (feature pg_catalog.text, weight pg_catalog.float4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_explain_item_integer';

CREATE FUNCTION @extschema@.mf_explain_item(item_id pg_catalog.uuid, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (feature pg_catalog.text, weight pg_catalog.float4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_explain_item_uuid';

CREATE FUNCTION @extschema@.mf_explain_item(item_id pg_catalog.text, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (feature pg_catalog.text, weight pg_catalog.float4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_explain_item_text';

COMMENT ON FUNCTION @extschema@.mf_explain_item(pg_catalog.int8, pg_catalog.int8, pg_catalog.text, pg_catalog.int8) IS
    'how much of an item''s ranking factors comes from each of its features';
COMMENT ON FUNCTION @extschema@.mf_explain_item(pg_catalog.uuid, pg_catalog.int8, pg_catalog.text, pg_catalog.int8) IS
    'how much of an item''s ranking factors comes from each of its features';
COMMENT ON FUNCTION @extschema@.mf_explain_item(pg_catalog.text, pg_catalog.int8, pg_catalog.text, pg_catalog.int8) IS
    'how much of an item''s ranking factors comes from each of its features';

CREATE FUNCTION @extschema@.mf_recommend_all(
    n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL, exclude_seen pg_catalog.bool DEFAULT true,
    candidates pg_catalog.int8[] DEFAULT NULL, exclude pg_catalog.int8[] DEFAULT NULL, users pg_catalog.int8[] DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (user_id pg_catalog.int8, item_id pg_catalog.int8, score pg_catalog.float4, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000000 ROWS 1000000
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_recommend_all';

CREATE FUNCTION @extschema@.mf_recommend_all_text(
    n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL, exclude_seen pg_catalog.bool DEFAULT true,
    candidates pg_catalog.text[] DEFAULT NULL, exclude pg_catalog.text[] DEFAULT NULL, users pg_catalog.text[] DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (user_id pg_catalog.text, item_id pg_catalog.text, score pg_catalog.float4, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000000 ROWS 1000000
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_recommend_all_text';

CREATE FUNCTION @extschema@.mf_recommend_all_uuid(
    n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL, exclude_seen pg_catalog.bool DEFAULT true,
    candidates pg_catalog.uuid[] DEFAULT NULL, exclude pg_catalog.uuid[] DEFAULT NULL, users pg_catalog.uuid[] DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (user_id pg_catalog.uuid, item_id pg_catalog.uuid, score pg_catalog.float4, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000000 ROWS 1000000
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_recommend_all_uuid';

COMMENT ON FUNCTION @extschema@.mf_recommend_all IS
    'the lists that mf_recommend gives, for every user of the model and of its source, or for some; integer ids';
COMMENT ON FUNCTION @extschema@.mf_recommend_all_text IS
    'the lists that mf_recommend gives, for every user of the model and of its source, or for some; ids of any type as text';
COMMENT ON FUNCTION @extschema@.mf_recommend_all_uuid IS
    'the lists that mf_recommend gives, for every user of the model and of its source, or for some; ids of type uuid';

CREATE FUNCTION @extschema@.mf_recommend_users(
    item_id pg_catalog.int8, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    exclude_seen pg_catalog.bool DEFAULT true, candidates pg_catalog.int8[] DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (user_id pg_catalog.int8, score pg_catalog.float4, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_recommend_users_integer';

CREATE FUNCTION @extschema@.mf_recommend_users(
    item_id pg_catalog.uuid, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    exclude_seen pg_catalog.bool DEFAULT true, candidates pg_catalog.uuid[] DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (user_id pg_catalog.uuid, score pg_catalog.float4, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_recommend_users_uuid';

CREATE FUNCTION @extschema@.mf_recommend_users(
    item_id pg_catalog.text, n pg_catalog.int8 DEFAULT 10, model pg_catalog.text DEFAULT NULL,
    exclude_seen pg_catalog.bool DEFAULT true, candidates pg_catalog.text[] DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (user_id pg_catalog.text, score pg_catalog.float4, rank pg_catalog.int4)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
SUPPORT @extschema@.mf_list_support
AS 'MODULE_PATHNAME', 'mf_recommend_users_text';

COMMENT ON FUNCTION @extschema@.mf_recommend_users(pg_catalog.int8, pg_catalog.int8, pg_catalog.text, pg_catalog.bool, pg_catalog.int8[], pg_catalog.int8) IS
    'the n users of the training run with the greatest scores for an item, without those who have it';
COMMENT ON FUNCTION @extschema@.mf_recommend_users(pg_catalog.uuid, pg_catalog.int8, pg_catalog.text, pg_catalog.bool, pg_catalog.uuid[], pg_catalog.int8) IS
    'the n users of the training run with the greatest scores for an item, without those who have it';
COMMENT ON FUNCTION @extschema@.mf_recommend_users(pg_catalog.text, pg_catalog.int8, pg_catalog.text, pg_catalog.bool, pg_catalog.text[], pg_catalog.int8) IS
    'the n users of the training run with the greatest scores for an item, without those who have it';

COMMENT ON FUNCTION @extschema@.mf_recommend_for(pg_catalog.int8[], pg_catalog.float8[], pg_catalog.int8, pg_catalog.text, pg_catalog.int8[], pg_catalog.int8[], pg_catalog.int8, pg_catalog.float8) IS
    'the n best items for a visitor who has these items';
COMMENT ON FUNCTION @extschema@.mf_recommend_for(pg_catalog.uuid[], pg_catalog.float8[], pg_catalog.int8, pg_catalog.text, pg_catalog.uuid[], pg_catalog.uuid[], pg_catalog.int8, pg_catalog.float8) IS
    'the n best items for a visitor who has these items';
COMMENT ON FUNCTION @extschema@.mf_recommend_for(pg_catalog.text[], pg_catalog.float8[], pg_catalog.int8, pg_catalog.text, pg_catalog.text[], pg_catalog.text[], pg_catalog.int8, pg_catalog.float8) IS
    'the n best items for a visitor who has these items';
COMMENT ON FUNCTION @extschema@.mf_similar_items(pg_catalog.int8, pg_catalog.int8, pg_catalog.text, pg_catalog.int8) IS
    'the n items whose ranking factors have the greatest cosine with those of the given item';
COMMENT ON FUNCTION @extschema@.mf_similar_items(pg_catalog.uuid, pg_catalog.int8, pg_catalog.text, pg_catalog.int8) IS
    'the n items whose ranking factors have the greatest cosine with those of the given item';
COMMENT ON FUNCTION @extschema@.mf_similar_items(pg_catalog.text, pg_catalog.int8, pg_catalog.text, pg_catalog.int8) IS
    'the n items whose ranking factors have the greatest cosine with those of the given item';
COMMENT ON FUNCTION @extschema@.mf_similar_users(pg_catalog.int8, pg_catalog.int8, pg_catalog.text, pg_catalog.int8) IS
    'the n users whose ranking factors have the greatest cosine with those of the given user';
COMMENT ON FUNCTION @extschema@.mf_similar_users(pg_catalog.uuid, pg_catalog.int8, pg_catalog.text, pg_catalog.int8) IS
    'the n users whose ranking factors have the greatest cosine with those of the given user';
COMMENT ON FUNCTION @extschema@.mf_similar_users(pg_catalog.text, pg_catalog.int8, pg_catalog.text, pg_catalog.int8) IS
    'the n users whose ranking factors have the greatest cosine with those of the given user';

-- functions of one model

CREATE FUNCTION @extschema@.mf_create_functions(
    model pg_catalog.text, schema pg_catalog.name DEFAULT NULL, prefix pg_catalog.text DEFAULT NULL)
RETURNS SETOF pg_catalog.text
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'mf_create_functions';

CREATE FUNCTION @extschema@.mf_drop_functions(
    model pg_catalog.text, schema pg_catalog.name DEFAULT NULL, prefix pg_catalog.text DEFAULT NULL)
RETURNS SETOF pg_catalog.text
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 10
AS 'MODULE_PATHNAME', 'mf_drop_functions';

COMMENT ON FUNCTION @extschema@.mf_create_functions IS
    'creates SQL functions of one model with the types of its ids, none overloaded, and lists them';
COMMENT ON FUNCTION @extschema@.mf_drop_functions IS 'drops what mf_create_functions has made for a model, and lists it';

-- evaluation

CREATE FUNCTION @extschema@.mf_report(model pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000
AS 'MODULE_PATHNAME', 'mf_report';

COMMENT ON FUNCTION @extschema@.mf_report IS 'facts and plots of a model as one self-contained page of HTML';

CREATE FUNCTION @extschema@.mf_evaluate(
    model pg_catalog.text, test pg_catalog.regclass, k pg_catalog.int8 DEFAULT 10,
    user_column pg_catalog.name DEFAULT 'user_id', item_column pg_catalog.name DEFAULT 'item_id',
    rating_column pg_catalog.name DEFAULT 'rating', relevant_from pg_catalog.float8 DEFAULT NULL,
    version pg_catalog.int8 DEFAULT NULL)
RETURNS TABLE (
    recommender pg_catalog.text, users pg_catalog.int8, rows pg_catalog.int8, skipped pg_catalog.int8,
    rmse pg_catalog.float8, mae pg_catalog.float8, "precision" pg_catalog.float8, recall pg_catalog.float8,
    ndcg pg_catalog.float8, map pg_catalog.float8, mrr pg_catalog.float8, hit_rate pg_catalog.float8,
    auc pg_catalog.float8, coverage pg_catalog.float8, novelty pg_catalog.float8,
    intra_list_similarity pg_catalog.float8)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100000000 ROWS 3
AS 'MODULE_PATHNAME', 'mf_evaluate';

COMMENT ON FUNCTION @extschema@.mf_evaluate IS
    'errors of predictions and metrics of lists on test rows: the model, also for known and new items apart if it has both, and two baselines that it must beat';

CREATE FUNCTION @extschema@.mf_fold(user_id pg_catalog.int8, item_id pg_catalog.int8, folds pg_catalog.int4, seed pg_catalog.int8 DEFAULT 1)
RETURNS pg_catalog.int4
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mf_fold_integer';

CREATE FUNCTION @extschema@.mf_fold(user_id pg_catalog.uuid, item_id pg_catalog.uuid, folds pg_catalog.int4, seed pg_catalog.int8 DEFAULT 1)
RETURNS pg_catalog.int4
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mf_fold_uuid';

CREATE FUNCTION @extschema@.mf_fold(user_id pg_catalog.text, item_id pg_catalog.text, folds pg_catalog.int4, seed pg_catalog.int8 DEFAULT 1)
RETURNS pg_catalog.int4
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mf_fold_text';

COMMENT ON FUNCTION @extschema@.mf_fold(pg_catalog.int8, pg_catalog.int8, pg_catalog.int4, pg_catalog.int8) IS
    'fold of an interaction, from 0 to folds - 1, by a hash of both ids';
COMMENT ON FUNCTION @extschema@.mf_fold(pg_catalog.uuid, pg_catalog.uuid, pg_catalog.int4, pg_catalog.int8) IS
    'fold of an interaction, from 0 to folds - 1, by a hash of both ids';
COMMENT ON FUNCTION @extschema@.mf_fold(pg_catalog.text, pg_catalog.text, pg_catalog.int4, pg_catalog.int8) IS
    'fold of an interaction, from 0 to folds - 1, by a hash of both ids';

CREATE FUNCTION @extschema@.mf_cross_validate(
    source pg_catalog.regclass,
    folds pg_catalog.int4 DEFAULT 5,
    model pg_catalog.text DEFAULT NULL,
    user_column pg_catalog.name DEFAULT 'user_id',
    item_column pg_catalog.name DEFAULT 'item_id',
    rating_column pg_catalog.name DEFAULT 'rating',
    feedback pg_catalog.text DEFAULT 'explicit',
    algorithm pg_catalog.text DEFAULT NULL,
    factors pg_catalog.int4 DEFAULT NULL,
    iterations pg_catalog.int4 DEFAULT NULL,
    regularization pg_catalog.float8 DEFAULT NULL,
    test_fraction pg_catalog.float8 DEFAULT 0,
    seed pg_catalog.int8 DEFAULT 1,
    options pg_catalog.jsonb DEFAULT '{}',
    k pg_catalog.int8 DEFAULT 10)
RETURNS TABLE (fold pg_catalog.int4, rmse pg_catalog.float8, mae pg_catalog.float8, ndcg pg_catalog.float8,
               recall pg_catalog.float8, seconds pg_catalog.float8)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 5
AS 'MODULE_PATHNAME', 'mf_cross_validate';

COMMENT ON FUNCTION @extschema@.mf_cross_validate IS
    'how good mf_train with the same arguments is on rows it has not seen, one row per fold';

CREATE FUNCTION @extschema@.mf_tune(
    source pg_catalog.regclass,
    search pg_catalog.jsonb DEFAULT '{}',
    model pg_catalog.text DEFAULT NULL,
    user_column pg_catalog.name DEFAULT 'user_id',
    item_column pg_catalog.name DEFAULT 'item_id',
    rating_column pg_catalog.name DEFAULT 'rating',
    feedback pg_catalog.text DEFAULT 'explicit',
    algorithm pg_catalog.text DEFAULT NULL,
    factors pg_catalog.int4 DEFAULT NULL,
    iterations pg_catalog.int4 DEFAULT NULL,
    regularization pg_catalog.float8 DEFAULT NULL,
    test_fraction pg_catalog.float8 DEFAULT 0.2,
    seed pg_catalog.int8 DEFAULT 1,
    options pg_catalog.jsonb DEFAULT '{}',
    k pg_catalog.int8 DEFAULT 10)
RETURNS TABLE (trial pg_catalog.int4, parameters pg_catalog.jsonb, rmse pg_catalog.float8, ndcg pg_catalog.float8,
               seconds pg_catalog.float8)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 27
AS 'MODULE_PATHNAME', 'mf_tune';

COMMENT ON FUNCTION @extschema@.mf_tune IS
    'options for mf_train that do best on rows held out of the training runs, the best first';

CREATE FUNCTION @extschema@.mf_split(
    source pg_catalog.regclass,
    train pg_catalog.name,
    test pg_catalog.name,
    test_fraction pg_catalog.float8 DEFAULT 0.2,
    method pg_catalog.text DEFAULT 'by_user',
    time_column pg_catalog.name DEFAULT NULL,
    user_column pg_catalog.name DEFAULT 'user_id',
    item_column pg_catalog.name DEFAULT 'item_id',
    seed pg_catalog.int8 DEFAULT 1)
RETURNS TABLE (train_rows pg_catalog.int8, test_rows pg_catalog.int8)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 1
AS 'MODULE_PATHNAME', 'mf_split';

CREATE FUNCTION @extschema@.mf_split_hash(user_id pg_catalog.text, item_id pg_catalog.text, seed pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mf_split_hash';

COMMENT ON FUNCTION @extschema@.mf_split IS
    'copies the rows of a relation into two new tables, a train table and a test table: some interactions, the latest, or all of some items or users are held out';
COMMENT ON FUNCTION @extschema@.mf_split_hash IS
    'hash of an interaction, or with an empty id of a user or an item: mf_split and test_fraction hold out those with the smallest hashes';

CREATE FUNCTION @extschema@.mf_precision_at(
    recommended pg_catalog.anycompatiblearray, relevant pg_catalog.anycompatiblearray, k pg_catalog.int8)
RETURNS pg_catalog.float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'mf_precision_at';

CREATE FUNCTION @extschema@.mf_recall_at(
    recommended pg_catalog.anycompatiblearray, relevant pg_catalog.anycompatiblearray, k pg_catalog.int8)
RETURNS pg_catalog.float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'mf_recall_at';

CREATE FUNCTION @extschema@.mf_hit_rate_at(
    recommended pg_catalog.anycompatiblearray, relevant pg_catalog.anycompatiblearray, k pg_catalog.int8)
RETURNS pg_catalog.float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'mf_hit_rate_at';

CREATE FUNCTION @extschema@.mf_ndcg_at(
    recommended pg_catalog.anycompatiblearray, relevant pg_catalog.anycompatiblearray, k pg_catalog.int8)
RETURNS pg_catalog.float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'mf_ndcg_at';

CREATE FUNCTION @extschema@.mf_average_precision_at(
    recommended pg_catalog.anycompatiblearray, relevant pg_catalog.anycompatiblearray, k pg_catalog.int8)
RETURNS pg_catalog.float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'mf_average_precision_at';

CREATE FUNCTION @extschema@.mf_reciprocal_rank(
    recommended pg_catalog.anycompatiblearray, relevant pg_catalog.anycompatiblearray)
RETURNS pg_catalog.float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
AS 'MODULE_PATHNAME', 'mf_reciprocal_rank';

COMMENT ON FUNCTION @extschema@.mf_precision_at IS
    'share of the first k recommended items that are relevant';
COMMENT ON FUNCTION @extschema@.mf_recall_at IS
    'share of the relevant items that are among the first k recommended';
COMMENT ON FUNCTION @extschema@.mf_hit_rate_at IS
    '1 if one of the first k recommended items is relevant, else 0';
COMMENT ON FUNCTION @extschema@.mf_ndcg_at IS
    'normalized discounted cumulative gain of the first k recommended items, with binary relevance';
COMMENT ON FUNCTION @extschema@.mf_average_precision_at IS
    'mean of the precision at each hit among the first k recommended items';
COMMENT ON FUNCTION @extschema@.mf_reciprocal_rank IS
    '1 / position of the first recommended item that is relevant';

-- privileges
--
-- pg_dump reads the tables as the role that runs it; the owner of the database must be able to dump it.

REVOKE ALL ON FUNCTION @extschema@.mf_skip_missing_grantee() FROM PUBLIC;
REVOKE ALL ON @extschema@.mf_model_data, @extschema@.mf_training_data, @extschema@.mf_user_factor_data, @extschema@.mf_item_factor_data,
    @extschema@.mf_item_feature_data, @extschema@.mf_user_feature_data, @extschema@.mf_grant_data, @extschema@.mf_job_data FROM PUBLIC;
GRANT SELECT ON @extschema@.mf_model_data, @extschema@.mf_training_data, @extschema@.mf_user_factor_data, @extschema@.mf_item_factor_data,
    @extschema@.mf_item_feature_data, @extschema@.mf_user_feature_data, @extschema@.mf_grant_data TO pg_database_owner;
GRANT SELECT ON SEQUENCE @extschema@.mf_model_id_seq TO pg_database_owner;
GRANT SELECT ON @extschema@.mf_models, @extschema@.mf_trainings, @extschema@.mf_grants, @extschema@.mf_jobs, @extschema@.mf_progress, @extschema@.mf_cache,
    @extschema@.mf_user_factors, @extschema@.mf_item_factors, @extschema@.mf_item_feature_factors,
    @extschema@.mf_user_feature_factors TO PUBLIC;
