\set u random(0, 1020)
DELETE FROM ratings WHERE passing AND user_id BETWEEN :u AND :u + 4;
