# mf_progress: what other sessions see of a training run, who sees it, and that no entry stays behind.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION mf_ext;
    CREATE TABLE ratings AS
        SELECT n % 3000 AS user_id, (n * 7919 + n / 3000) % 2000 AS item_id, 1 + n % 5 AS rating
          FROM generate_series(1, 300000::bigint) n;
    CREATE INDEX ON ratings (user_id);
    CREATE ROLE trainer SUPERUSER;
    CREATE ROLE stranger;
    CREATE ROLE monitor IN ROLE pg_monitor;
    CREATE DATABASE other;
});
$node->safe_psql('other', 'CREATE EXTENSION mf_ext');

is($node->safe_psql('postgres', 'SELECT count(*) FROM mf_progress'), '0', 'nothing while nobody trains');

# Starts a training run that would take minutes.
sub start_training {
    my ($model, @options) = @_;
    my ($out, $err) = ('', '');
    my $run = IPC::Run::start(
        [ $node->installed_command('psql'), '-XAt', '-d', $node->connstr('postgres'), '-c', 'SET ROLE trainer', '-c',
            "SELECT * FROM mf_train('ratings', '$model', factors => 64, iterations => 1000, options => '{\"ranking_iterations\": 999}')" ],
        '<', \undef, '>', \$out, '2>', \$err);
    return { run => $run, err => \$err };
}

sub wait_for {
    my ($condition) = @_;
    $node->poll_query_until('postgres', "SELECT count(*) = 1 FROM mf_progress WHERE $condition") or die "never: $condition";
}

my $first = start_training('first');
wait_for(q{iterations_done >= 2});
is($node->safe_psql('postgres', q{
    SELECT model, phase, iterations_done BETWEEN 2 AND 999, iterations_total, loss > 0, rows_read, rows_per_second > 1000,
           seconds BETWEEN 0 AND 600, seconds_left > 1
      FROM mf_progress}), 'first|rating factors|t|1000|t|300000|t|t|t', 'what is reached');
is($node->safe_psql('postgres', q{SELECT p.pid = a.pid FROM mf_progress p, pg_stat_activity a WHERE query LIKE '%mf_train%' AND a.pid <> pg_backend_pid()}),
    't', 'by which session');
my $earlier = $node->safe_psql('postgres', 'SELECT iterations_done FROM mf_progress');
wait_for("iterations_done > $earlier");
pass('it goes on');

# Those of the owner, by membership, or all by pg_read_all_stats.
is($node->safe_psql('postgres', 'SET ROLE stranger; SELECT count(*) FROM mf_progress'), '0', 'a stranger sees nothing');
$node->safe_psql('postgres', q{CREATE ROLE grantee; CREATE TABLE few AS SELECT * FROM ratings WHERE user_id < 50; CREATE INDEX ON few (user_id)});
is($node->safe_psql('postgres', 'SET ROLE monitor; SELECT count(*) FROM mf_progress'), '1', 'a monitor sees it');
is($node->safe_psql('postgres', 'SET ROLE grantee; SELECT count(*) FROM mf_progress'), '0', 'nor does a role without a grant');
is($node->safe_psql('other', 'SELECT count(*) FROM mf_progress'), '0', 'another database does not show it');

# A role to which the model is granted sees it train again.
$node->safe_psql('postgres', q{SET ROLE trainer; SELECT FROM mf_train('few', 'second', factors => 2); SELECT mf_grant('second', 'grantee')});
my $second = start_training('second');
$node->poll_query_until('postgres', q{SELECT array_agg(model ORDER BY model) = '{first,second}' FROM mf_progress WHERE iterations_done > 0})
    or die 'the second training is not seen';
pass('two at a time');
is($node->safe_psql('postgres', 'SET ROLE grantee; SELECT model FROM mf_progress'), 'second', 'a grantee sees the one that is granted');

$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM mf_progress WHERE model = 'first'});
$first->{run}->finish;
like(${ $first->{err} }, qr/canceling statement due to user request/, 'the first is cancelled');
is($node->safe_psql('postgres', 'SELECT model FROM mf_progress'), 'second', 'and gone');

$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM mf_progress});
$second->{run}->finish;
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM mf_progress') or die 'the entry stayed';
pass('a terminated session leaves no entry');

# At DEBUG1 each phase and each iteration writes a line with its time; a client with the usual settings sees none.
my ($status, $out, $err) = $node->psql('postgres', q{
    SET client_min_messages = debug1; SELECT FROM mf_train('ratings', 'third', factors => 8, iterations => 2, options => '{"ranking_iterations": 3}')});
my @lines = grep { /DEBUG:  mf_/ } split /\n/, $err;
s/.*DEBUG:  // for @lines;
s/-?\d+\.\d+ s/T/g, s/loss [-\d.e+]+/loss L/ for @lines;
my @expected = (
    'mf_train phase reading: T, T CPU', 'mf_train phase sorting: T, T CPU',
    (map { "mf_ext: rating factors: iteration $_ of 2, loss L, held-out metric NaN" } 1 .. 2),
    (map { "mf_ext: ranking factors: iteration $_ of 3, loss L, held-out metric NaN" } 1 .. 3),
    'mf_train phase training: T, T CPU', 'mf_train phase storing: T, T CPU');
is_deeply(\@lines, \@expected, 'phases and iterations at DEBUG1');
($status, $out, $err) = $node->psql('postgres', q{SET client_min_messages = notice; SELECT FROM mf_train('ratings', 'third', factors => 8, iterations => 2)});
is(join(' ', $err =~ /([A-Z]+\d?):  /g), 'NOTICE HINT NOTICE HINT', 'none of these lines for a client with the usual settings');

$node->stop;
done_testing();
