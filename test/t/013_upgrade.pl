# ALTER EXTENSION mf_ext UPDATE, from every installed version, and to a next one that this test invents: models serve
# before and after it, and the database has the same objects as after a fresh installation.
use strict;
use warnings;

use File::Basename qw(basename dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# A copy of the server's programs, which find their files relative to themselves, with an extension folder of our own.
my $original = PostgreSQL::Test::Cluster->new('original');
my ($bin, $lib, $share) = map { my ($path) = $original->config_data("--$_"); $path } 'bindir', 'pkglibdir', 'sharedir';
my $root = PostgreSQL::Test::Utils::tempdir;
make_path("$root$_") for $bin, dirname($lib), "$share/extension";
for my $program (glob("$bin/*")) {
    copy($program, "$root$bin") or die $!;
    chmod 0755, "$root$program";
}
symlink $lib, "$root$lib" or die $!;
for my $file (glob("$share/*"), glob("$share/extension/*")) {
    symlink $file, "$root$file" or die $! unless -e "$root$file";
}

my $extension = "$root$share/extension";
my $control = slurp_file("$extension/mf_ext.control");
my ($current) = $control =~ /^default_version\s*=\s*'([^']+)'/m;
my $next = "$current.next";

# The files that `make install` of the next version would install.
sub install_next {
    my $addition = q{
CREATE FUNCTION @extschema@.mf_invented() RETURNS pg_catalog.int4 LANGUAGE sql IMMUTABLE AS 'SELECT 42';
ALTER TABLE @extschema@.mf_model_data ADD COLUMN invented pg_catalog.text;
ALTER TABLE @extschema@.mf_user_factor_data ADD COLUMN invented pg_catalog.float4;
ALTER TABLE @extschema@.mf_item_factor_data ADD COLUMN invented pg_catalog.text;
ALTER TABLE @extschema@.mf_item_feature_data ADD COLUMN invented pg_catalog.text;
ALTER TABLE @extschema@.mf_user_feature_data ADD COLUMN invented pg_catalog.text;
};
    append_to_file("$extension/mf_ext--$current--$next.sql", $addition);
    append_to_file("$extension/mf_ext--$next.sql", slurp_file("$extension/mf_ext--$current.sql") . $addition);
    unlink "$extension/mf_ext.control";
    append_to_file("$extension/mf_ext.control", $control =~ s/^(default_version\s*=\s*)'[^']+'/$1'$next'/mr);
}

my $node = PostgreSQL::Test::Cluster->new('main', install_path => "$root" . dirname($bin));
$node->init;
$node->start;

my @versions = sort map { basename($_) =~ /^mf_ext--([^-]+)\.sql$/ ? $1 : () } glob("$extension/mf_ext--*.sql");
ok((grep { $_ eq $current } @versions), 'the current version can be installed');

my $setup = q{
    CREATE TABLE ratings (user_id int, item_id int, rating real, PRIMARY KEY (user_id, item_id));
    INSERT INTO ratings
        SELECT u, i, 1 + (u * i + u + i) % 5 FROM generate_series(1, 20) u, generate_series(1, 30) i WHERE (u + i) % 3 > 0;
    SELECT mf_train('ratings', factors => 4)};
my $lists = q{
    SELECT string_agg(item_id || ':' || score || ':' || predicted_rating || ':' || basis, ' ')
      FROM generate_series(1, 25) u, mf_recommend(u, 5) l;
    SELECT model, version, live, owner, source FROM mf_models};
my $objects = q{
    SELECT pg_describe_object(classid, objid, 0)
      FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
       AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mf_ext') ORDER BY 1;
    SELECT c.relname, a.attname, a.atttypid::regtype, a.attnum FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relname LIKE 'mf\_%' AND a.attnum > 0 ORDER BY 1, 4;
    SELECT p.oid::regprocedure, p.prosrc, p.provolatile, p.proparallel, p.procost, p.prorows, obj_description(p.oid, 'pg_proc')
      FROM pg_proc p WHERE p.proname LIKE 'mf\_%' ORDER BY 1::text;
    SELECT extconfig::regclass[]::text, extcondition FROM pg_extension WHERE extname = 'mf_ext'};

my $factors = q{
    SELECT count(DISTINCT d) FROM (
        SELECT md5(string_agg(concat(u.user_id, u.ranking_factors, u.rating_factors, u.history_digest), ' ' ORDER BY user_id)) AS d
          FROM mf_user_factors u GROUP BY version) v};

my %before;
for my $version (@versions) {
    (my $database = "from_$version") =~ tr/./_/;
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    $node->safe_psql($database, "CREATE EXTENSION mf_ext VERSION '$version'; $setup");
    $before{$database} = $node->safe_psql($database, $lists);
}

# A session that has the library loaded throughout.
my ($in, $out, $err) = ('', '', '');
(my $database = "from_$current") =~ tr/./_/;
my $session = IPC::Run::start(
    [ $node->installed_command('psql'), '-XAtq', '-d', $node->connstr($database) ],
    '<', \$in, '>', \$out, '2>', \$err, IPC::Run::timeout(60));
sub ask {
    $out = '';
    $in .= "SELECT count(*) FROM mf_recommend(1, 5);\n";
    $session->pump until $out =~ /\n/;
    return $out;
}
is(ask(), "5\n", 'a session serves');

install_next();
for my $database (sort keys %before) {
    is($node->safe_psql($database, $lists), $before{$database}, "$database: with the files of the next version, as before");
    $node->safe_psql($database, 'ALTER EXTENSION mf_ext UPDATE');
    is($node->safe_psql($database, q{SELECT extversion, mf_invented() FROM pg_extension WHERE extname = 'mf_ext'}), "$next|42", 'updated');
    is($node->safe_psql($database, $lists), $before{$database}, 'the same lists');
    is($node->safe_psql($database, q{SELECT version FROM mf_train('ratings', factors => 4)}), '2', 'and training goes on');
    is($node->safe_psql($database, $factors), '1', 'with the same factors');
}
is(ask(), "5\n", 'the session of before goes on');
$in .= "\\q\n";
$session->finish;
is($err, '', 'without a word');

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION mf_ext');
is($node->safe_psql($_, $objects), $node->safe_psql('fresh', $objects), "$_ has what a fresh installation has") for sort keys %before;
is($node->safe_psql('fresh', q{SELECT count(*) FROM pg_extension_update_paths('mf_ext') WHERE target = '} . $next . q{' AND path IS NULL}),
    '0', 'every version leads to the newest');

$node->stop;
done_testing();
