# Distributed training runs on one server: the same model as a local run, packed once and resumed after whatever stops
# them; nothing is left of a run that is done or dropped.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "restart_after_crash = on\nautovacuum = off\nmf_ext.max_threads = 2\nmf_ext.search = off\nmf_ext.max_jobs = 50");
$node->start;
sub sql { my ($query) = @_; return $node->safe_psql('postgres', $query); }
sub error_of {
    my ($query) = @_;
    my (undef, undef, $error) = $node->psql('postgres', $query);
    return $error;
}
sql(q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT u AS user_id, i AS item_id,
               (3 + sin(u * 0.7) * cos(i * 0.9) + sin(u * 0.3) * cos(i * 0.2) + (hashint4(u * 1000 + i) % 100) / 200.0)::real AS rating,
               timestamptz '2026-01-01' + (hashint4(i * 300 + u) % 1000) * interval '1 minute' AS at
          FROM generate_series(1, 240) u, generate_series(1, 150) i
         WHERE (hashint4(u * 7919 + i) & 2147483647) % 100 < 12 + u % 20;
    CREATE INDEX ON ratings (user_id);
    CREATE VIEW plays AS SELECT 'user ' || user_id AS user_id, item_id, rating AS times FROM ratings;
    CREATE VIEW twice AS SELECT user_id, item_id, rating, at FROM ratings UNION ALL
        SELECT user_id, item_id, 6 - rating, at + interval '1 day' FROM ratings WHERE item_id % 3 = 0 UNION ALL
        SELECT NULL, 1, 1, now();
    CREATE FUNCTION leftovers() RETURNS bigint LANGUAGE sql AS
        $$ SELECT (SELECT count(*) FROM mf_run_data) + (SELECT count(*) FROM pg_class WHERE relname LIKE 'mf\_run\_%' AND relname NOT LIKE 'mf\_run\_data%') $$;
});

sub outcome_of {
    my ($call) = @_;
    my $job = sql("SELECT $call");
    $node->poll_query_until('postgres', "SELECT status NOT IN ('queued', 'running') FROM mf_jobs WHERE job_id = $job") or die;
    return sql("SELECT concat_ws(': ', status, message) FROM mf_jobs WHERE job_id = $job");
}
sub options { my (%more) = @_; return q{'{"engine": "distributed"} '::jsonb || '} . '{' . join(', ', map { qq("$_": $more{$_}) } sort keys %more) . q[}'::jsonb]; }

# Beside a local run.
my @cases = (
    [ 'explicit feedback', 'ratings', '', 5, {} ],
    [ 'rows held out', 'ratings', 'test_fraction => 0.2, ', 4, {} ],
    [ 'one bucket', 'ratings', 'test_fraction => 0.2, ', 1, {} ],
    [ 'other numbers of factors', 'ratings', 'factors => 12, ', 3, { rating_factors => 5, ranking_iterations => 4 } ],
    [ 'exact solver, texts of users', 'plays', q{rating_column => 'times', feedback => 'implicit', test_fraction => 0.1, }, 6, { solver => '"cholesky"' } ],
    [ 'implicit feedback, texts of users', 'plays', q{rating_column => 'times', feedback => 'implicit', }, 7, { weight_slope => 2 } ],
    [ 'single exchange', 'plays', q{rating_column => 'times', feedback => 'implicit', }, 4, { exchange => '"single"' } ],
    [ 'half exchange', 'plays', q{rating_column => 'times', feedback => 'implicit', }, 4, { exchange => '"half"' } ],
    [ 'no ratings', 'plays', q{rating_column => NULL, feedback => 'implicit', }, 7, {} ],
    [ 'the last of several rows, NULLs', 'twice', '', 5, { duplicates => '"last"', time_column => '"at"' } ]);
for my $case (@cases) {
    my ($name, $source, $arguments, $buckets, $more) = @$case;
    $arguments = "factors => 8, $arguments" unless $arguments =~ /factors/;
    my $local = '{' . join(', ', map { qq("$_": $more->{$_}) } grep { $_ ne 'exchange' } sort keys %$more) . '}';
    sql("SELECT mf_train('$source', 'local', ${arguments}options => '$local')");
    is(outcome_of("mf_train_async('$source', 'spread', ${arguments}options => " . options(%$more, buckets => $buckets) . ')'), 'done', "$name: done");
    is(sql(q{SELECT (l.users, l.items, l.ratings) = (s.users, s.items, s.ratings), l.algorithm = s.algorithm, l.feedback = s.feedback
               FROM mf_models l, mf_models s WHERE l.live AND s.live AND l.model = 'local' AND s.model = 'spread'}), 't|t|t', "$name: the same rows");
    is(sql(q{SELECT count(*) FROM (SELECT k.key, c.key AS curve, (SELECT array_agg(v::float8) FROM jsonb_array_elements_text(l.parameters->'curves'->k.key->c.key) v) AS a,
                        (SELECT array_agg(v::float8) FROM jsonb_array_elements_text(s.parameters->'curves'->k.key->c.key) v) AS b
                       FROM mf_models l, mf_models s, jsonb_each(l.parameters->'curves') k, jsonb_each(k.value) c
                      WHERE l.live AND s.live AND l.model = 'local' AND s.model = 'spread') x
              WHERE b IS NULL OR cardinality(a) <> cardinality(b) OR EXISTS (SELECT FROM unnest(a, b) AS t (p, q) WHERE abs(p - q) > 1e-4 * abs(p) AND (curve = 'loss' OR abs(p - q) > 0.02))}),
        '0', "$name: the same loss after each iteration");
    is(sql(q{SELECT count(*) FROM (VALUES ('train_rmse'), ('test_rmse'), ('test_ndcg'), ('test_bias_rmse'), ('test_popularity_ndcg')) AS m (key), mf_models l, mf_models s
              WHERE l.live AND s.live AND l.model = 'local' AND s.model = 'spread'
                AND abs(coalesce((l.metrics->>key)::float8, 0) - coalesce((s.metrics->>key)::float8, 0)) > 1e-3}), '0', "$name: the same metrics");
    my $id = $source eq 'plays' ? "'user ' || u" : 'u';
    my $places = $more->{exchange} ? 0.6 : 0.8;  # items whose scores are nearly equal change places
    is(sql(qq{SELECT count(*), count(*) FILTER (WHERE basis = 'trained') = count(*), count(*) FILTER (WHERE l.item_id = s.item_id) > $places * count(*),
                     count(*) FILTER (WHERE abs(l.score - s.score) > 2e-3 * (1 + abs(l.score)))
                FROM generate_series(1, 240, 7) u,
                     LATERAL (SELECT *, row_number() OVER () AS place FROM mf_recommend(${id}, 5, 'local')) l
                JOIN LATERAL (SELECT item_id, score, row_number() OVER () AS place FROM mf_recommend(${id}, 5, 'spread')) s USING (place)}),
        '175|t|t|0', "$name: the same lists, of stored users");
    is(sql(q{SELECT count(*) FROM mf_user_factor_data l JOIN mf_user_factor_data s USING (user_id)
              WHERE l.model_id = (SELECT model_id FROM mf_model_data WHERE model = 'local' AND live) AND s.model_id = (SELECT model_id FROM mf_model_data WHERE model = 'spread' AND live)
                AND (l.interactions, l.history_digest) IS DISTINCT FROM (s.interactions, s.history_digest)}), '0', "$name: the same histories");
    is(sql('SELECT leftovers()'), '0', "$name: nothing is left");
}
is(sql(q{SELECT count(*) FROM mf_item_factor_data l JOIN mf_item_factor_data s USING (item_id)
          WHERE l.model_id = (SELECT model_id FROM mf_model_data WHERE model = 'local' AND live) AND s.model_id = (SELECT model_id FROM mf_model_data WHERE model = 'spread' AND live)
            AND (l.interactions, l.source_rows) IS DISTINCT FROM (s.interactions, s.source_rows)}), '0', 'items have the same rows of the source');

# What is wrong is said by the call.
like(error_of(q{SELECT mf_train('ratings', options => '{"engine": "distributed"}')}), qr/a distributed training run is a job.*HINT:  Call mf_train_async/s, 'mf_train is refused');
like(error_of(q{SELECT mf_train_async('ratings', options => '{"engine": "spark"}')}), qr/engine "spark" is not known.*"local" and "distributed"/s, 'unknown engine');
like(error_of(q{SELECT mf_train_async('ratings', options => '{"buckets": 3}')}), qr/buckets are for distributed training runs only/, 'buckets of a local run');
like(error_of(qq{SELECT mf_train_async('ratings', options => } . options(buckets => $_) . ')'), qr/buckets must be a whole number between 1 and 65536, not/, "buckets $_")
    for (0, 2.5, 70000, -1);
like(error_of(q{SELECT mf_train_async('ratings', options => '{"engine": "distributed", "buckets": "many"}')}), qr/option "buckets" must be a number/, 'buckets that are no number');
like(error_of(q{SELECT mf_train_async('ratings', options => '{"engine": 3}')}), qr/option "engine" must be a string, not the number 3/, 'an engine that is a number');
like(error_of(qq{SELECT mf_train_async('ratings', options => } . options(storage => '"half"') . ')'), qr/do not take "storage": "half"/, 'storage');
like(error_of(q{SELECT mf_half_step(NULL, 0, 0, 0, 0, '') FROM ratings}), qr/a half-step has no NULLs/, 'the aggregates refuse what is no block');
like(error_of(q{SELECT mf_half_step('\x00', 0, 0, 2, 0, '\x6d66')}), qr/a block of a training run ends too early/, 'or no step');
like(error_of(q{SELECT mf_join_parts(NULL, 0, '\x6d66423100', '\x01000000')}), qr/a block of a training run ends too early/, 'or no part');
like(error_of(qq{SELECT mf_half_step('\\x00', 0, 0, 1, $_, '\\x6d66')}), qr/a part of a half-step belongs to no bucket/, "or part $_") for (-1, 65536, 2147483647);
like(error_of(q{SET mf_ext.max_memory = '1MB'; SELECT mf_join_parts(NULL, 0, decode(repeat('00', 400000), 'hex'), '\x00')}),
    qr/packing a bucket needs 2 MB of memory, mf_ext.max_memory is 1 MB.*HINT:  .*more buckets/s, 'or parts that do not fit');
like(error_of(q{SELECT mf_train_async('ratings', options => '{"exchange": "half"}')}), qr/exchange is for distributed training runs only/, 'exchange of a local run');
like(error_of(qq{SELECT mf_train_async('ratings', options => } . options(exchange => '"double"') . ')'), qr/exchange "double" is not known.*"auto", "single" and "half"/s, 'unknown exchange');
sql('CREATE TABLE none (user_id int, item_id int, rating real); CREATE INDEX ON none (user_id)');
like(outcome_of(q{mf_train_async('none', options => '{"engine": "distributed"}')}), qr/^failed: there are no interactions to train on/, 'an empty source');
sql(q{CREATE VIEW odd AS SELECT user_id, item_id, CASE WHEN user_id = 200 THEN 'NaN' ELSE rating END AS rating FROM ratings});
$node->append_conf('postgresql.conf', 'mf_ext.max_memory = 3MB');
$node->reload;
like(outcome_of(q{mf_train_async('ratings', factors => 1000, iterations => 1, options => '{"engine": "distributed", "buckets": 1}')}),
    qr/^failed: a half-step needs \d+ MB of memory, mf_ext.max_memory is 3 MB/, 'a bucket whose own factors do not fit');
sql(q{SELECT mf_drop_model('ratings')});
$node->adjust_conf('postgresql.conf', 'mf_ext.max_memory', '1GB');
$node->reload;
like(outcome_of(q{mf_train_async('odd', options => '{"engine": "distributed"}')}), qr/^failed: .*NaN/, 'a rating that is none');
is(sql('SELECT leftovers()'), '0', 'and nothing is left of them');

# As a role that owns neither the source nor the extension.
sql(q{CREATE ROLE regress_mf_spread LOGIN; GRANT SELECT ON ratings TO regress_mf_spread});
my (undef, $job) = $node->psql('postgres', 'SET ROLE regress_mf_spread; SELECT mf_train_async(\'ratings\', \'theirs\', factors => 4, options => ' . options(buckets => 3) . ')');
$node->poll_query_until('postgres', "SELECT status = 'done' FROM mf_jobs WHERE job_id = $job") or die;
is(sql(q{SELECT owner FROM mf_models WHERE model = 'theirs'}), 'regress_mf_spread', 'a role that may read the source owns its model');
is(sql(q{SELECT mf_drop_model('theirs')}), '1', 'and it is dropped');

# Stopped in the middle, and gone on with.
my $long = q{factors => 8, iterations => 60, } . 'options => ' . options(buckets => 4, ranking_iterations => 60);
is(outcome_of("mf_train_async('ratings', 'whole', $long)"), 'done', 'a run without a stop');
sub factors_of {
    my ($model) = @_;
    return sql(qq{SELECT md5(string_agg(concat_ws(' ', user_id, rating_bias, rating_factors, ranking_factors), ' ' ORDER BY user_id)) FROM mf_user_factor_data JOIN mf_model_data USING (model_id) WHERE model = '$model' AND live}) .
        sql(qq{SELECT md5(string_agg(concat_ws(' ', item_id, rating_bias, rating_factors, ranking_factors), ' ' ORDER BY item_id)) FROM mf_item_factor_data JOIN mf_model_data USING (model_id) WHERE model = '$model' AND live});
}
my $expected = factors_of('whole');
sub stopped {
    my ($model, $stop) = @_;
    my $job = sql("SELECT mf_train_async('ratings', '$model', $long)");
    $node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM mf_progress WHERE iterations_done > 3}) or die;
    my $pid = sql("SELECT pid FROM mf_jobs WHERE job_id = $job");
    $stop->($job, $pid);
    $node->poll_query_until('postgres', "SELECT status NOT IN ('queued', 'running') FROM mf_jobs WHERE job_id = $job") or die;
    return sql("SELECT concat_ws(': ', status, message) FROM mf_jobs WHERE job_id = $job");
}
$node->append_conf('postgresql.conf', 'mf_ext.fault = wait');
$node->reload;
like(stopped('stopped', sub { sql("SELECT mf_cancel_job($_[0])") }), qr/^cancelled/, 'a cancel');
isnt(sql('SELECT leftovers()'), '0', 'leaves what was done');
like(stopped('stopped', sub {
    my (undef, $pid) = @_;
    is(sql('SELECT phase, iterations_total FROM mf_progress'), 'rating factors|60', 'a run that goes on shows where it is');
    my $log = -s $node->logfile;
    kill 'KILL', $pid;
    $node->wait_for_log(qr/database system is ready to accept connections/, $log);
}), qr/^failed: the server or the worker was stopped/, 'a kill');
like(stopped('stopped', sub { $node->stop('immediate'); $node->start }), qr/^failed: the server or the worker was stopped/, 'a crash of the server');
is(sql(q{SELECT count(*) FROM mf_models WHERE model = 'stopped'}), '0', 'there is no model yet');
is(sql(q{SELECT count(*) FROM mf_run_data}), '1', 'one run is not done');
$node->adjust_conf('postgresql.conf', 'mf_ext.fault', 'none');
$node->reload;
my $log = -s $node->logfile;
is(outcome_of("mf_train_async('ratings', 'stopped', $long)"), 'done', 'the run goes on');
$node->log_check('where it stood', $log, log_like => [qr/the training run of model "stopped" goes on after step \d\d/]);
is(factors_of('stopped'), $expected, 'to the same factors');
is(sql('SELECT leftovers()'), '0', 'nothing is left');

# With other arguments it begins anew; what never became a model can be dropped, by who may.
$node->adjust_conf('postgresql.conf', 'mf_ext.fault', 'wait');
$node->reload;
stopped('half', sub { sql("SELECT mf_cancel_job($_[0])") });
my $run = sql('SELECT run FROM mf_run_data');
$long =~ s/factors => 8/factors => 9/;
stopped('half', sub { sql("SELECT mf_cancel_job($_[0])") });
isnt(sql('SELECT run FROM mf_run_data'), $run, 'another run');
is(sql('SELECT leftovers()'), '4', 'with tables of its own, and no others');
like(error_of(q{SET ROLE regress_mf_spread; SELECT mf_drop_model('half')}), qr/permission denied for model "half"/, 'others may not drop it');
like(error_of(q{SET ROLE regress_mf_spread; SELECT mf_half_step('', 0, 0, 0, 0, '')}), qr/permission denied for (?:aggregate|function) mf_half_step/, 'nor call what is for training runs alone');
my $theirs = sql("SET ROLE regress_mf_spread; SELECT mf_train_async('ratings', 'half', $long)");
$node->poll_query_until('postgres', "SELECT status NOT IN ('queued', 'running') FROM mf_jobs WHERE job_id = $theirs") or die;
like(sql("SELECT concat_ws(': ', status, message) FROM mf_jobs WHERE job_id = $theirs"), qr/^failed: permission denied for model "half"/, 'nor go on with it, or replace it');
is(sql(q{SELECT mf_drop_model('half')}), '0', 'it is no version');
is(sql('SELECT leftovers()'), '0', 'nothing is left');
like(error_of(q{SELECT mf_drop_model('half')}), qr/model "half" does not exist/, 'and it does not exist');
$node->adjust_conf('postgresql.conf', 'mf_ext.fault', 'none');
$node->reload;

# They go with the extension.
$node->adjust_conf('postgresql.conf', 'mf_ext.fault', 'wait');
$node->reload;
stopped('gone', sub { sql("SELECT mf_cancel_job($_[0])") });
is(sql(q{BEGIN; DROP EXTENSION mf_ext; SELECT count(*) FROM pg_class WHERE relname LIKE 'mf\_%'; ROLLBACK}), '0', 'the tables go with the extension');
is(sql(q{SELECT mf_drop_model('gone')}), '0', 'or with the run');
$node->adjust_conf('postgresql.conf', 'mf_ext.fault', 'none');
$node->reload;

# Training again; numbers that were not given are found from a sample of the users.
is(outcome_of(q{mf_retrain_async('spread')}), 'done', 'training again');
is(sql(q{SELECT count(*), bool_or(parameters->'options' @> '{"engine": "distributed"}') FROM mf_models WHERE model = 'spread' AND live}), '1|t', 'with the same engine');
sql(q{SELECT mf_train('ratings', 'local', factors => 8, iterations => 6, options => '{"ranking_iterations": 9}')});
is(outcome_of(q{mf_train_async('ratings', 'again', factors => 8, iterations => 6, options => '{"engine": "distributed", "buckets": 5, "ranking_iterations": 9}')}), 'done', 'a model');
sql(q{SELECT mf_retrain('local')});
is(outcome_of(q{mf_retrain_async('again')}), 'done', 'trained again');
is(sql(q{SELECT model, jsonb_array_length(parameters->'curves'->'rating'->'loss'), jsonb_array_length(parameters->'curves'->'ranking'->'loss') FROM mf_models WHERE model IN ('local', 'again') AND live ORDER BY model}),
    "again|2|3\nlocal|2|3", 'from its factors, with a third of the iterations');
is(sql(q{SELECT count(*) FROM mf_models l, mf_models s, unnest('{rating,ranking}'::text[]) AS k
          WHERE l.live AND s.live AND l.model = 'local' AND s.model = 'again'
            AND abs((l.parameters->'curves'->k->'loss'->>-1)::float8 / (s.parameters->'curves'->k->'loss'->>-1)::float8 - 1) < 1e-4}), '2', 'to the loss of a local run');
is(outcome_of(q{mf_train_async('ratings', 'found', options => '{"engine": "distributed", "search": true}')}), 'done', 'with a search');
is(outcome_of(q{mf_train_async('ratings', 'small', factors => 4, options => '{"engine": "distributed", "buckets": 9}')}), 'done', 'done');
is(sql('SELECT leftovers()'), '0', 'nothing is left');
$node->stop;
done_testing();
