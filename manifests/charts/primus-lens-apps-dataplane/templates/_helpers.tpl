{{/* The namespace all objects go to. */}}
{{- define "lens.namespace" -}}
{{- .Values.global.namespace | default .Release.Namespace -}}
{{- end -}}

{{/* Labels of an object; takes root and name. */}}
{{- define "lens.labels" -}}
{{ include "lens.selector" . }}
app.kubernetes.io/part-of: primus-lens
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.global.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Annotations of an object, with their key; takes root. */}}
{{- define "lens.annotations" -}}
{{- with .root.Values.global.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Labels that never change; takes root and name. */}}
{{- define "lens.selector" -}}
app.kubernetes.io/name: primus-lens-{{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{/* Labels of an application's objects. The programs find each other by the last two: node exporters by `app`, all by the other. */}}
{{- define "lens.applicationLabels" -}}
{{ include "lens.labels" . }}
app: primus-lens-{{ .name }}
primus-lens-app-name: {{ .name }}
{{- end -}}

{{/* The applications: name of the section in the values, and name of the objects. */}}
{{- define "lens.deployments" -}}
aiAdvisor: ai-advisor
api: api
componentHealthExporter: component-health-exporter
gpuResourceExporter: gpu-resource-exporter
imageAnalyzer: image-analyzer
jobs: jobs
telemetryProcessor: telemetry-processor
{{- end -}}
{{- define "lens.daemonSets" -}}
nodeExporter: node-exporter
systemTuner: system-tuner
{{- end -}}

{{/* What an application reads at CONFIG_PATH; takes root and app. */}}
{{- define "lens.config" -}}
{{- tpl (toYaml (merge (dict "httpPort" .app.port) .app.config)) .root -}}
{{- end -}}

{{/* ConfigMap with the configuration of an application; takes root, name and app. */}}
{{- define "lens.configMap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: primus-lens-{{ .name }}-config
  namespace: {{ include "lens.namespace" .root }}
  labels:
    {{- include "lens.applicationLabels" . | nindent 4 }}
  {{- include "lens.annotations" . | indent 2 }}
data:
  config.yaml: |
    {{- include "lens.config" . | nindent 4 }}
{{- end -}}

{{/* Image of an application, whose name may end in a digest instead of the tag; takes root and app. */}}
{{- define "lens.image" -}}
{{- $global := .root.Values.global -}}
{{- $registry := $global.imageRegistry | trimSuffix "/" -}}
{{- with $registry }}{{ . }}/{{ end -}}
{{- $digest := get ($global.imageDigests | default dict) .app.image -}}
{{ .app.image }}{{ if $digest }}@{{ $digest }}{{ else if not (contains "@" .app.image) }}:{{ required "global.imageTag is not set" $global.imageTag }}{{ end }}
{{- end -}}

{{/* Pod template of an application; takes root, name and app. */}}
{{- define "lens.podTemplate" -}}
{{- $values := .root.Values -}}
metadata:
  labels:
    {{- include "lens.applicationLabels" . | nindent 4 }}
  {{- if or .app.port $values.global.commonAnnotations }}
  annotations:
    {{- with $values.global.commonAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- if .app.port }}
    # A changed file or Secret rolls the pods: the programs read them when they start.
    primus-lens/config-checksum: {{ include "lens.config" . | sha256sum }}
    {{- if .app.config.loadStorageClient }}
    primus-lens/storage-checksum: {{ $values.storage.checksum | quote }}
    {{- end }}
    {{- end }}
  {{- end }}
spec:
  serviceAccountName: {{ $values.serviceAccountName }}
  {{- if not (dig "config" "loadK8SClient" false .app) }}
  automountServiceAccountToken: false
  {{- end }}
  {{- with $values.global.imagePullSecret }}
  imagePullSecrets:
    - name: {{ . }}
  {{- end }}
  {{- with $values.podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .app.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml .app.topologySpreadConstraints | nindent 4 }}
  {{- else if gt (int .app.replicas) 1 }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "lens.selector" . | nindent 10 }}
  {{- end }}
  {{- with pick .app "hostPID" "priorityClassName" }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- range $key := list "nodeSelector" "tolerations" "affinity" }}
  {{- with index $.app $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  containers:
    - {{ include "lens.container" . | nindent 6 | trim }}
  {{- if or .app.port .app.hostPaths }}
  volumes:
    {{- if .app.port }}
    - name: config
      configMap:
        name: primus-lens-{{ .name }}-config
    {{- end }}
    {{- range .app.hostPaths }}
    - name: {{ .name }}
      hostPath:
        path: {{ .path }}
        type: {{ .type }}
    {{- end }}
  {{- end }}
{{- end -}}

{{/* Container of an application; takes root, name and app. */}}
{{- define "lens.container" -}}
name: {{ .name }}
image: {{ include "lens.image" . | quote }}
imagePullPolicy: {{ ternary "Always" "IfNotPresent" (hasSuffix ":latest" (include "lens.image" .)) }}
env:
  {{- if .app.port }}
  - name: CONFIG_PATH
    value: /etc/primus-lens/config.yaml
  {{- end }}
  {{- range $variable := list "CLUSTER_NAME" "DEFAULT_CLUSTER_NAME" }}
  - name: {{ $variable }}
    value: {{ $.root.Values.global.clusterName | default "default" | quote }}
  {{- end }}
  {{- range $variable, $field := dict "NAMESPACE" "metadata.namespace" "POD_NAMESPACE" "metadata.namespace" "NODE_NAME" "spec.nodeName" "NODE_IP" "status.hostIP" }}
  - name: {{ $variable }}
    valueFrom:
      fieldRef:
        fieldPath: {{ $field }}
  {{- end }}
  {{- $own := dict }}
  {{- range .app.env }}{{ $_ := set $own .name true }}{{ end }}
  {{- range $variable, $value := .root.Values.global.proxy }}
  {{- if not (hasKey $own $variable) }}
  - name: {{ $variable }}
    value: {{ $value | quote }}
  {{- end }}
  {{- end }}
  {{- with .app.env }}
  {{- tpl (toYaml .) $.root | nindent 2 }}
  {{- end }}
{{- with .app.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .app.securityContext | default .root.Values.containerSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .app.port }}
ports:
  - name: http
    containerPort: {{ .app.port }}
  - name: metrics
    containerPort: {{ add1 .app.port }}
  {{- range $port, $number := .app.ports }}
  - name: {{ $port }}
    containerPort: {{ $number }}
  {{- end }}
# The programs open the metrics port once Secret, database and controllers are there, the other one after it. /metrics is
# all that answers without an account; it asks the API server in some of them, so a probe that repeats only connects.
startupProbe:
  httpGet:
    path: /metrics
    port: metrics
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
readinessProbe:
  tcpSocket:
    port: http
  periodSeconds: 5
livenessProbe:
  tcpSocket:
    port: metrics
  periodSeconds: 15
{{- end }}
{{- if or .app.port .app.hostPaths }}
volumeMounts:
  {{- if .app.port }}
  - name: config
    mountPath: /etc/primus-lens
    readOnly: true
  {{- end }}
  {{- range .app.hostPaths }}
  - name: {{ .name }}
    mountPath: {{ .mountPath }}
    readOnly: {{ .readOnly | default false }}
  {{- end }}
{{- end }}
{{- end -}}
