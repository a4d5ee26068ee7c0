\set n random(1, 5)
CALL act('grant', format('SELECT mf_grant(%L, ''reader'')', 'passing ' || :n::int));
CALL act('revoke', format('SELECT mf_revoke(%L, ''reader'')', 'passing ' || :n::int));
CALL act('set_owner', format('SELECT mf_set_owner(%L, ''postgres'')', 'passing ' || :n::int));
