-- The nodes, and the extension on each of them.
SELECT noderole, shouldhaveshards, metadatasynced FROM pg_dist_node ORDER BY nodeid;
SELECT DISTINCT success, result FROM run_command_on_all_nodes('SELECT extname FROM pg_extension WHERE extname = ''mf_ext''');
-- Each table of the extension has another OID on each node, so that no test passes by chance.
SELECT count(DISTINCT result) FROM run_command_on_all_nodes('SELECT ''mf_model_data''::regclass::oid');
