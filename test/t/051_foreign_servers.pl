# Distributed training runs over three servers by postgres_fdw: the steps run where the rows are, to the same model as on
# one server, and nothing is left on any of them.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $here = PostgreSQL::Test::Cluster->new('here');
$here->init;
$here->append_conf('postgresql.conf', "autovacuum = off\nmf_ext.max_threads = 1\nmf_ext.search = off\nmf_ext.max_jobs = 50");
$here->start;
plan skip_all => 'no postgres_fdw' unless $here->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'});
sub sql { my ($query, $node) = @_; return ($node // $here)->safe_psql('postgres', $query); }

my @there;
for my $n (0 .. 2) {
    my $node = PostgreSQL::Test::Cluster->new("there$n");
    $node->init;
    $node->append_conf('postgresql.conf', "autovacuum = off\nmf_ext.max_threads = 1\nlog_statement = all");
    $node->start;
    sql('CREATE EXTENSION mf_ext; CREATE TABLE ratings (user_id bigint, item_id bigint, rating real); CREATE INDEX ON ratings (user_id)', $node);
    push @there, $node;
}
my $user = sql('SELECT current_user');
sql('CREATE EXTENSION mf_ext; CREATE EXTENSION postgres_fdw; CREATE TABLE ratings (user_id bigint, item_id bigint, rating real) PARTITION BY HASH (user_id)');
for my $n (0 .. 2) {
    my $node = $there[$n];
    sql(sprintf(q{
        CREATE SERVER there%d FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '%s', port '%d', dbname 'postgres');
        CREATE USER MAPPING FOR CURRENT_USER SERVER there%d OPTIONS (user '%s');
        CREATE FOREIGN TABLE ratings_%d PARTITION OF ratings FOR VALUES WITH (MODULUS 3, REMAINDER %d) SERVER there%d OPTIONS (table_name 'ratings');
    }, $n, $node->host, $node->port, $n, $user, $n, $n, $n));
}
sql(q{
    CREATE TABLE same AS
        SELECT u::bigint AS user_id, i::bigint AS item_id,
               (3 + sin(u * 0.7) * cos(i * 0.9) + sin(u * 0.3) * cos(i * 0.2) + (hashint4(u * 1000 + i) % 100) / 200.0)::real AS rating
          FROM generate_series(1, 180) u, generate_series(1, 120) i
         WHERE (hashint4(u * 7919 + i) & 2147483647) % 100 < 12 + u % 20;
    CREATE INDEX ON same (user_id);
    INSERT INTO ratings SELECT * FROM same;
});
sub outcome_of {
    my ($call) = @_;
    my $job = sql("SELECT $call");
    $here->poll_query_until('postgres', "SELECT status NOT IN ('queued', 'running') FROM mf_jobs WHERE job_id = $job") or die;
    return sql("SELECT concat_ws(': ', status, message) FROM mf_jobs WHERE job_id = $job");
}
my $arguments = q{factors => 8, test_fraction => 0.2, options => '{"engine": "distributed", "buckets": 7}'};
like(outcome_of("mf_train_async('ratings', 'spread', $arguments)"),
    qr/^failed: foreign server "there0" does not say that it has mf_ext.*ALTER SERVER there0 OPTIONS \(ADD extensions 'mf_ext'\);/s, 'a server that is not said to have the extension');
sql("ALTER SERVER there$_ OPTIONS (ADD extensions 'mf_ext')") for 0 .. 2;

is(outcome_of("mf_train_async('ratings', 'spread', $arguments)"), 'done', 'over three servers');
is(outcome_of("mf_train_async('same', 'one', $arguments)"), 'done', 'on one');
sub factors_of {
    my ($model) = @_;
    return join ' ', map { my ($side) = @$_; sql(qq{SELECT md5(string_agg(concat_ws(' ', ${side}_id, rating_bias, rating_factors, ranking_factors, interactions), ' ' ORDER BY ${side}_id))
        FROM mf_${side}_factor_data JOIN mf_model_data USING (model_id) WHERE model = '$model' AND live}) } ['user'], ['item'];
}
is(factors_of('spread'), factors_of('one'), 'the same bits');
sql(q{SELECT mf_train('same', 'local', factors => 8, test_fraction => 0.2)});
is(sql(q{SELECT count(*) FROM (VALUES ('train_rmse'), ('test_rmse'), ('test_ndcg')) AS m (key), mf_models l, mf_models s
          WHERE l.model = 'local' AND s.model = 'spread' AND NOT abs((l.metrics->>key)::float8 - (s.metrics->>key)::float8) < 1e-3}), '0', 'and the metrics of a local run');
for my $n (0 .. 2) {
    my $log = slurp_file($there[$n]->logfile);
    like($log, qr/mf_half_step\(.*INNER JOIN.*GROUP BY/, "steps run on server $n");
    like($log, qr/mf_number_rows\(.*INNER JOIN.*GROUP BY/, "so does the numbering on server $n");
    is(sql('SELECT (SELECT count(*) FROM mf_block_data) + (SELECT count(*) FROM mf_shared_data)', $there[$n]), '0', "nothing is left on server $n");
}
is(sql(q{SELECT (SELECT count(*) FROM mf_run_data) + (SELECT count(*) FROM pg_class WHERE relname LIKE 'mf\_run\_%' AND relname NOT LIKE 'mf\_run\_data%')}), '0', 'nor here');
is(sql(q{SELECT count(*) FROM mf_recommend(7, 5, 'spread') WHERE basis = 'trained'}), '5', 'lists of the model');

# What does not fit here is said to fit there.
like(do { my (undef, undef, $error) = $here->psql('postgres', q{SET mf_ext.max_memory = '1MB'; SELECT mf_train('ratings', factors => 256)}); $error },
    qr/training needs at least.*HINT:  Train where the rows are, with mf_train_async and options => '\{"engine": "distributed"\}'/s, 'too little memory');

# A server that is gone, and comes back.
my $long = q{factors => 8, iterations => 40, options => '{"engine": "distributed", "buckets": 7, "ranking_iterations": 40}'};
is(outcome_of("mf_train_async('ratings', 'whole', $long)"), 'done', 'a run without a stop');
my $job = sql("SELECT mf_train_async('ratings', 'stopped', $long)");
$here->poll_query_until('postgres', q{SELECT count(*) = 1 FROM mf_progress WHERE iterations_done > 3}) or die;
$there[1]->stop('immediate');
$here->poll_query_until('postgres', "SELECT status NOT IN ('queued', 'running') FROM mf_jobs WHERE job_id = $job") or die;
like(sql("SELECT concat_ws(': ', status, message) FROM mf_jobs WHERE job_id = $job"), qr/^failed: /, 'a server is gone: the job has failed');
$there[1]->start;
is(outcome_of("mf_train_async('ratings', 'stopped', $long)"), 'done', 'it is back: the run goes on');
is(factors_of('stopped'), factors_of('whole'), 'to the same bits');

# Servers do not commit together: one may be a step behind.
$job = sql("SELECT mf_train_async('ratings', 'behind', $long)");
$here->poll_query_until('postgres', q{SELECT count(*) = 1 FROM mf_progress WHERE iterations_done > 3}) or die;
sql("SELECT mf_cancel_job($job)");
$here->poll_query_until('postgres', "SELECT status NOT IN ('queued', 'running') FROM mf_jobs WHERE job_id = $job") or die;
isnt(sql('WITH gone AS (DELETE FROM mf_shared_data WHERE part < 2 RETURNING 1) SELECT count(*) FROM gone', $there[2]), '0', 'factors that one server lacks');
is(outcome_of("mf_train_async('ratings', 'behind', $long)"), 'done', 'are sent again');
is(factors_of('behind'), factors_of('whole'), 'to the same bits');
is(sql('SELECT (SELECT count(*) FROM mf_block_data) + (SELECT count(*) FROM mf_shared_data)', $_), '0', 'nothing is left on ' . $_->name) for @there;
$_->stop for @there, $here;
done_testing();
