# The statements of docs/hosted.md, as printed: ratings go from a server without the extension to one that has it, and
# lists come back, the next night as well.
use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($page) = grep { -f } map { "$FindBin::Bin/$_/docs/hosted.md" } '..', '../..';

my $hosted = PostgreSQL::Test::Cluster->new('hosted');
$hosted->init(allows_streaming => 'logical');
# The first line that fits counts: the password of the page is asked for.
my $hba = $hosted->data_dir . '/pg_hba.conf';
my $trusted = slurp_file($hba);
unlink $hba;
append_to_file($hba, "local all recommender scram-sha-256\nhost all recommender all scram-sha-256\n$trusted");
$hosted->start;
my $own = PostgreSQL::Test::Cluster->new('own');
$own->init;
$own->append_conf('postgresql.conf', 'wal_retrieve_retry_interval = 200ms');
$own->start;
if ($own->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'}) eq '0') {
    $own->stop;
    $hosted->stop;
    plan skip_all => 'postgres_fdw is not installed';
}

# Blocks in order, each with the comment above it, and the result that is printed below it if there is one.
my (@blocks, $where, $state);
for (split /\n/, slurp_file($page)) {
    if (!$state) {
        if (/^<!-- (on (?:the hosted|your) server.*?)( -->)?$/) {
            $where = $1;
            ($state, my $shown) = $2 ? ('', 1) : ('hidden', 0);
            push @blocks, { where => $where, sql => '' } if !$shown;
        } elsif ($_ eq '```sql') {
            die "no comment says where this is run, after: $blocks[-1]{sql}" if !$where;
            push @blocks, { where => $where, sql => '' };
            ($state, $where) = ('sql', '');
        } elsif ($_ eq '```') {
            $state = 'result';
            $blocks[-1]{result} = '';
        }
    } elsif ($_ eq ($state eq 'hidden' ? '-->' : '```')) {
        $state = '';
    } else {
        $blocks[-1]{ $state eq 'result' ? 'result' : 'sql' } .= "$_\n";
    }
}
cmp_ok(scalar @blocks, '>', 8, 'the page has blocks');

# run BLOCK: as psql prints it, after everything has arrived.
sub run {
    my ($block) = @_;
    my $node = $block->{where} =~ /hosted/ ? $hosted : $own;
    my ($host, $port) = ($hosted->host, $hosted->port);
    my $sql = $block->{sql} =~ s/hosted\.example/$host/gr =~ s/\b5432\b/$port/gr;
    # Not wait_for_subscription_sync, which is content with the state s before r.
    $own->poll_query_until('postgres', q{SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel})
        or die 'the rows were not copied' if $block->{where} =~ /after the copy/;
    $hosted->wait_for_catchup('recommender') if $hosted->safe_psql('postgres', 'SELECT count(*) FROM pg_replication_slots');
    my ($out, $err);
    my @psql = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '--pset=footer=off', '-d', $node->connstr('postgres'));
    my $done = IPC::Run::run(\@psql, '<', \$sql, '>', \$out, '2>', \$err);
    ok($done, "$block->{where}: " . substr($block->{sql}, 0, 60) =~ s/\n.*//sr) or BAIL_OUT($err);
    return $out =~ s/[ \t]+$//gmr =~ s/^\n//gmr;
}

my ($night) = grep { $_->{where} =~ /every night/ } @blocks;
for my $block (@blocks) {
    my $out = run($block);
    is($out, $block->{result}, 'prints what the page prints') if defined $block->{result};
    if ($block == $night) {
        is($hosted->safe_psql('postgres', 'SELECT count(DISTINCT user_id), count(*), min(place), max(place) FROM lists'),
            '1000|20000|1|20', 'everybody has a list on the hosted server');
        is($hosted->safe_psql('postgres', 'SELECT count(*) FROM lists JOIN ratings USING (user_id, item_id)'), '0',
            'without what is rated');
    }
}
is($hosted->safe_psql('postgres', q{SELECT count(*) FROM pg_extension WHERE extname <> 'plpgsql'}), '0',
    'the hosted server has no extension');

# The next night: with the new user, whose rows have arrived, and without what has been rated since.
run($night);
is($hosted->safe_psql('postgres', 'SELECT count(DISTINCT user_id), count(*) FROM lists'), '1001|20020', 'the new user has a list');
is($hosted->safe_psql('postgres', 'SELECT count(*) FROM lists JOIN ratings USING (user_id, item_id)'), '0', 'without what is rated');
is($own->safe_psql('postgres', 'SELECT version FROM mf_models WHERE live'), '3', 'from a new version');

# A run that fails leaves the lists as they are.
my $lists = $hosted->safe_psql('postgres', 'SELECT * FROM lists ORDER BY user_id, place');
$hosted->safe_psql('postgres', 'ALTER TABLE lists ADD CHECK (user_id <> 5000) NOT VALID');
my ($status, $out, $err) = $own->psql('postgres', $night->{sql}, on_error_stop => 1);
like($err, qr/violates check constraint/, 'a run fails');
is($hosted->safe_psql('postgres', 'SELECT * FROM lists ORDER BY user_id, place'), $lists, 'and the old lists stay');

$own->stop;
$hosted->stop;
done_testing();
