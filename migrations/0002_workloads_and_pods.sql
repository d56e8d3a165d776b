-- What runs: workloads (the outermost owners) and their pods.

CREATE TABLE workloads (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster_id   bigint NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
    uid          uuid NOT NULL,
    api_version  text NOT NULL,
    kind         text NOT NULL,
    namespace    text NOT NULL,
    name         text NOT NULL,
    parent_id    bigint REFERENCES workloads (id) ON DELETE SET NULL,
    status       text NOT NULL DEFAULT 'unknown'
                 CHECK (status IN ('unknown', 'pending', 'running', 'succeeded', 'failed')),
    gpu_request  integer NOT NULL DEFAULT 0 CHECK (gpu_request >= 0),
    labels       jsonb NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL,
    started_at   timestamptz,
    ended_at     timestamptz,
    UNIQUE (cluster_id, uid),
    CHECK (parent_id <> id),
    CHECK (ended_at >= started_at)
);
CREATE INDEX workloads_place_idx ON workloads (cluster_id, namespace, kind, name);
CREATE INDEX workloads_parent_idx ON workloads (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX workloads_open_idx ON workloads (cluster_id, status) WHERE ended_at IS NULL;
COMMENT ON TABLE workloads IS 'Owners of pods: Deployments, Jobs, training jobs; parent_id is the owner of the owner.';
COMMENT ON COLUMN workloads.gpu_request IS 'GPUs asked for by all pods together.';

CREATE TABLE pods (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster_id     bigint NOT NULL REFERENCES clusters (id) ON DELETE CASCADE,
    workload_id    bigint REFERENCES workloads (id) ON DELETE SET NULL,
    node_id        bigint REFERENCES nodes (id) ON DELETE SET NULL,
    uid            uuid NOT NULL,
    namespace      text NOT NULL,
    name           text NOT NULL,
    phase          text NOT NULL DEFAULT 'Pending'
                   CHECK (phase IN ('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown')),
    gpu_request    integer NOT NULL DEFAULT 0 CHECK (gpu_request >= 0),
    restart_count  integer NOT NULL DEFAULT 0 CHECK (restart_count >= 0),
    created_at     timestamptz NOT NULL,
    started_at     timestamptz,
    ended_at       timestamptz,
    UNIQUE (cluster_id, uid),
    CHECK (ended_at >= started_at)
);
CREATE INDEX pods_place_idx ON pods (cluster_id, namespace, name);
CREATE INDEX pods_workload_idx ON pods (workload_id);
CREATE INDEX pods_node_idx ON pods (node_id) WHERE ended_at IS NULL;
COMMENT ON TABLE pods IS 'Pods as last seen; phase is the API''s own word.';
