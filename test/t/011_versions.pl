# Versions over time: tables do not grow with the number of training runs, a transaction of any age keeps its version,
# and no reader waits for changes of a model.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum_naptime = 1s");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT n % 2000 AS user_id, (n * 7919 + n / 2000) % 1500 AS item_id, 1 + n % 5 AS rating
          FROM generate_series(1, 60000::bigint) n;
    CREATE INDEX ON ratings (user_id);
    CREATE ROLE heir;
    CREATE VIEW sizes AS
        SELECT pg_total_relation_size('mf_user_factor_data') + pg_total_relation_size('mf_item_factor_data') AS bytes;
    CREATE TABLE measured (keep_versions integer, training integer, bytes bigint);
});
my $training = q{SELECT FROM mf_train('ratings', factors => 32, iterations => 1, options => '{"ranking_iterations": 1}')};
my $retraining = q{SELECT FROM mf_retrain('ratings')};

# A session that stays open; query() returns what it prints.
sub open_session {
    my %session = (in => '', out => '', err => '');
    $session{run} = IPC::Run::start(
        [ $node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres') ],
        '<', \$session{in}, '>', \$session{out}, '2>', \$session{err}, IPC::Run::timeout(180));
    return \%session;
}

sub query {
    my ($session, $sql) = @_;
    $session->{out} = '';
    $session->{in} .= "$sql;\n\\echo finished\n";
    $session->{run}->pump until $session->{out} =~ /finished\n/;
    $session->{out} =~ s/finished\n//;
    chomp $session->{out};
    return $session->{out};
}

# Autovacuum with the default thresholds runs after each training run, also if many versions are kept.
for my $n (1 .. 10) {
    $node->safe_psql('postgres', 'SET mf_ext.keep_versions = 8; ' . ($n == 1 ? $training : $retraining) . '; SELECT pg_stat_force_next_flush()');
    next if $n <= 8;
    ok($node->poll_query_until('postgres', q{SELECT bool_and(n_dead_tup = 0) FROM pg_stat_user_tables WHERE relname ~ '^mf_(user|item)_factor_data'}),
        'autovacuum after a retraining');
}

# The other tests run without autovacuum: its timing would change the sizes, and it takes a lock while it truncates a
# table.
$node->append_conf('postgresql.conf', 'autovacuum = off');
$node->reload;
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type LIKE 'autovacuum%'}) or die 'autovacuum goes on';

# While a version is written, the kept ones exist too, so tables have room for one more version than is kept; if the
# free part is at the end, vacuum truncates it.
my $vacuum = 'VACUUM mf_user_factor_data, mf_item_factor_data';
$node->safe_psql('postgres', "SELECT mf_drop_model('ratings')");
$node->safe_psql('postgres', "VACUUM FULL mf_user_factor_data, mf_item_factor_data; $training; $vacuum; INSERT INTO measured SELECT 0, 1, bytes FROM sizes");
for my $keep (1, 2) {
    $node->safe_psql('postgres', "SET mf_ext.keep_versions = $keep; $retraining; $vacuum; INSERT INTO measured SELECT $keep, $_, bytes FROM sizes")
        for 1 .. 20;
}
note $node->safe_psql('postgres', q{
    SELECT keep_versions, string_agg(round(bytes / (SELECT bytes::numeric FROM measured WHERE keep_versions = 0), 2)::text, ' ' ORDER BY training)
      FROM measured GROUP BY 1 ORDER BY 1});
is($node->safe_psql('postgres', q{
    SELECT keep_versions, count(*), bool_and(bytes <= (keep_versions + 1.2) * (SELECT bytes FROM measured WHERE keep_versions = 0))
      FROM measured WHERE keep_versions > 0 GROUP BY 1 ORDER BY 1}),
    "1|20|t\n2|20|t", 'after each of twenty retrainings the tables have at most 2.2 times the size of a version, or 3.2 times where two are kept');

# A transaction that is older than all changes below keeps its version, cached or not, and blocks nobody.
my $list = q{SELECT md5(string_agg(u || ' ' || item_id || ' ' || score || ' ' || basis, ',' ORDER BY u, score DESC, item_id)) FROM generate_series(1, 50::bigint) u, mf_recommend(u, 10, 'ratings')};
my $of_factors = q{SELECT md5(string_agg(i::text, ',' ORDER BY item_id)) FROM mf_item_factors i JOIN mf_models USING (model_id, version) WHERE live};
my $old = open_session();
query($old, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
my $old_list = query($old, $list);
my $old_factors = query($old, $of_factors);
my $colder = open_session();
query($colder, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM ratings');
my %lists = ($old_list => 1);
for my $n (1 .. 5) {
    $node->safe_psql('postgres', "$retraining; VACUUM mf_user_factor_data, mf_item_factor_data, mf_model_data");
    $lists{ $node->safe_psql('postgres', $list) } = 1;
    is(query($old, $list), $old_list, "after retraining $n the old transaction has its list");
}
is(scalar(keys %lists), 6, 'others had another one after each');
is(query($old, $of_factors), $old_factors, 'its factors are those of its version');
is(query($colder, $list), $old_list, 'and so are the lists of a session that had not asked before');
query($_, 'COMMIT') for $old, $colder;
is(query($old, $list), $node->safe_psql('postgres', $list), 'after its end it has the new version');

# While changes of every kind are in progress, readers wait for nothing, not even a millisecond.
my $readings = q{
    SELECT count(*) FROM mf_recommend(7, 10, 'ratings'); SELECT count(*) FROM mf_recommend_all(1, 'ratings');
    SELECT mf_predict(7, 7, 'ratings') IS NOT NULL; SELECT count(*) FROM mf_similar_users(7, 3, 'ratings');
    SELECT count(*) FROM mf_explain(7, 7, 3, 'ratings'); SELECT count(*) FROM mf_models WHERE live;
    SELECT count(*) FROM mf_user_factors JOIN mf_models USING (model_id) WHERE live; SELECT count(*) FROM mf_cache; SELECT count(*) FROM mf_progress};
my $reader = open_session();
my $before = query($reader, $readings);
query($reader, q{SET lock_timeout = '1ms'});
my $changer = open_session();
my $oldest = $node->safe_psql('postgres', 'SELECT min(version) FROM mf_models');
for my $change ($training, $retraining, "SELECT mf_set_live('ratings', $oldest)", q{SELECT mf_drop_model('ratings')},
    q{SELECT mf_rename_model('ratings', 'another')}, q{SELECT mf_set_owner('ratings', 'heir')}, q{SELECT mf_grant('ratings', 'public')}) {
    query($changer, "BEGIN; $change");
    is(query($reader, $readings), $before, "no wait: $change");
    is($node->safe_psql('postgres', "SET lock_timeout = '1ms'; $readings"), $before, 'nor in a new session');
    query($changer, 'ROLLBACK');
}
is($reader->{err} . $changer->{err} . $old->{err}, '', 'no error');

for my $session ($old, $colder, $reader, $changer) {
    $session->{in} .= "\\q\n";
    $session->{run}->finish;
}
$node->stop;
done_testing();
