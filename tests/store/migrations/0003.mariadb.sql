ALTER TABLE observation_points ADD COLUMN hook VARCHAR(16);
UPDATE observation_points SET hook=%(hook)s WHERE observation_points.kind IN (%(kind_1_1)s, %(kind_1_2)s) AND observation_points.hook IS NULL;
ALTER TABLE observation_points_history ADD COLUMN hook VARCHAR(16);
UPDATE observation_points_history SET hook=%(hook)s WHERE observation_points_history.kind IN (%(kind_1_1)s, %(kind_1_2)s) AND observation_points_history.hook IS NULL;
