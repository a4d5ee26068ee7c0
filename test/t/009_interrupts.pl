# A single call can be cancelled at any moment, however long the history that it solves: 1024 factors and tens of
# thousands of rows of one user. The same run measures how long the call takes.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nmaintenance_work_mem = '256MB'");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings (user_id integer, item_id integer, rating real);
    INSERT INTO ratings SELECT u, i, 1 FROM generate_series(1, 20) AS u, generate_series(1, 30000) AS i WHERE i % 20 = u OR (u * i) % 37 = 0;
    CREATE INDEX ON ratings (user_id);
    SELECT FROM mf_train('ratings', feedback => 'implicit', factors => 1024, iterations => 1);
    INSERT INTO ratings SELECT 99, i, 1 FROM generate_series(1, 30000, 1) AS i;
    ANALYZE ratings;
});

for my $call ('SELECT count(*) FROM mf_recommend(99, 10)', 'SELECT count(*) FROM mf_explain(99, 5, 10)',
    'SELECT count(*) FROM mf_recommend_all(10)') {
    my $session = $node->background_psql('postgres', on_error_stop => 0);
    $session->set_query_timer_restart;
    $session->query('SELECT count(*) FROM mf_recommend(1, 10)');    # the items are in memory
    my $began = time;
    $session->query($call);
    my $whole = time - $began;
    my $worst = 0;
    for my $part (0.2, 0.5, 0.8) {
        my $timeout = int(1000 * $part * $whole) || 1;
        $session->query("SET statement_timeout = $timeout");
        $began = time;
        $session->query($call);
        my $over = (time - $began) - $timeout / 1000;
        $worst = $over if $over > $worst;
        $session->query('SET statement_timeout = 0');
    }
    cmp_ok($worst, '<', 0.15 * $whole + 0.1, sprintf('%s takes %.2f s and ends %.2f s after its time is up', $call, $whole, $worst));
    $session->quit;
}
my $log = slurp_file($node->logfile);
my $cancelled = () = $log =~ /canceling statement due to statement timeout/g;
cmp_ok($cancelled, '>=', 6, 'the calls were cancelled');
$node->stop;
done_testing();
