# The server dies in the middle of a training: after the restart the last published version serves the same lists.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT n % 1000 AS user_id, (n * 7919 + n / 1000) % 1000 AS item_id, 1 + n % 5 AS rating
          FROM generate_series(1, 50000) n;
    CREATE INDEX ON ratings (user_id);
    SELECT mf_train('ratings', factors => 8);
});
my $state = q{
    SELECT string_agg(item_id || ':' || score || ':' || basis, ' ') FROM mf_recommend(7, 5);
    SELECT md5(string_agg(i::text, ' ' ORDER BY item_id)) FROM mf_item_factors i;
    SELECT md5(string_agg(u::text, ' ' ORDER BY user_id)) FROM mf_user_factors u;
    SELECT count(*) FROM mf_models};
my $before = $node->safe_psql('postgres', $state);

for my $delay (300_000, 1_500_000) {
    my $training = IPC::Run::start(
        [ $node->installed_command('psql'), '-XAt', '-d', $node->connstr('postgres'), '-c',
            q{SELECT mf_train('ratings', factors => 128, iterations => 300)} ],
        '<', \undef, '>', \my $out, '2>', \my $err);
    usleep($delay);
    $node->stop('immediate');
    $training->finish;
    $node->start;
    is($node->safe_psql('postgres', $state), $before, 'the same lists and factors as before the crash');
}

is($node->safe_psql('postgres', q{SELECT version FROM mf_train('ratings', factors => 8)}), '2', 'and training goes on');

$node->stop;
done_testing();
