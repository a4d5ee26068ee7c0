# Jobs of one model that several clients ask for while others end: each is done, whoever overtakes whom at a hand-over.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_worker_processes = 20\nmf_ext.max_jobs = 1000");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT n % 30 AS user_id, (n * 7919 + n / 30) % 20 AS item_id, 1 + n % 5 AS rating FROM generate_series(1, 300::bigint) n;
    CREATE INDEX ON ratings (user_id);
    CREATE TABLE asked (job bigint);
});
my ($clients, $each) = (4, 24);
$node->pgbench("-n -c $clients -j 2 -t $each", 0, [qr/number of transactions actually processed: 96/], [qr/^$/], 'jobs that several ask for', {
    'ask' => q{
        INSERT INTO asked SELECT mf_train_async('ratings', factors => 2, iterations => 1, options => '{"ranking_iterations": 1}');
        \set pause random(0, 40)
        \sleep :pause ms
    } });
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM mf_jobs WHERE status IN ('queued', 'running')}) or die 'jobs never end';
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT concat_ws(': ', status, message), ', ') FROM mf_jobs}), 'done', 'each is done');
is($node->safe_psql('postgres', q{SELECT count(*), count(DISTINCT version), (SELECT count(*) FROM asked) FROM mf_jobs}), '96|96|96', 'once');
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'mf_ext job'}) or die 'workers stay';
$node->stop;
done_testing();
