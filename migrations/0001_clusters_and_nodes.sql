-- Clusters, their nodes, and the GPUs that a node has.

CREATE TABLE clusters (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name <> ''),
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE clusters IS 'Kubernetes clusters whose state is kept here; a dataplane knows one.';

CREATE TABLE nodes (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster_id        bigint NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
    name              text NOT NULL CHECK (name <> ''),
    uid               uuid NOT NULL,
    internal_address  inet,
    os_image          text NOT NULL DEFAULT '',
    kubelet_version   text NOT NULL DEFAULT '',
    gpu_vendor        text CHECK (gpu_vendor IN ('amd', 'nvidia')),
    gpu_model         text,
    gpu_capacity      integer NOT NULL DEFAULT 0 CHECK (gpu_capacity >= 0),
    gpu_allocatable   integer NOT NULL DEFAULT 0,
    ready             boolean NOT NULL DEFAULT false,
    unschedulable     boolean NOT NULL DEFAULT false,
    labels            jsonb NOT NULL DEFAULT '{}',
    taints            jsonb NOT NULL DEFAULT '[]',
    first_seen_at     timestamptz NOT NULL DEFAULT now(),
    last_seen_at      timestamptz NOT NULL DEFAULT now(),
    deleted_at        timestamptz,
    UNIQUE (cluster_id, uid),
    CHECK (gpu_allocatable BETWEEN 0 AND gpu_capacity),
    CHECK (gpu_capacity = 0 OR gpu_vendor IS NOT NULL),
    CHECK (last_seen_at >= first_seen_at)
);
CREATE UNIQUE INDEX nodes_name_key ON nodes (cluster_id, name) WHERE deleted_at IS NULL;
CREATE INDEX nodes_labels_idx ON nodes USING gin (labels jsonb_path_ops);
COMMENT ON TABLE nodes IS 'Nodes as last reported; one that left its cluster keeps its row with deleted_at, since usage refers to it.';
COMMENT ON COLUMN nodes.uid IS 'metadata.uid: a node that comes back under its old name is another node.';

CREATE TABLE gpu_devices (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node_id       bigint NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
    ordinal       smallint NOT NULL CHECK (ordinal >= 0),
    serial        text,
    model         text NOT NULL DEFAULT '',
    memory_bytes  bigint NOT NULL CHECK (memory_bytes > 0),
    healthy       boolean NOT NULL DEFAULT true,
    UNIQUE (node_id, ordinal)
);
COMMENT ON TABLE gpu_devices IS 'GPUs of a node by their ordinal, as the vendor''s tools count them.';
