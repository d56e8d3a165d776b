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
{{- end -}}

{{/* Labels that never change; takes root and name. */}}
{{- define "lens.selector" -}}
app.kubernetes.io/name: primus-lens-{{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{/* Image of an application; takes root and name. */}}
{{- define "lens.image" -}}
{{- $global := .root.Values.global -}}
{{- $registry := $global.imageRegistry | trimSuffix "/" -}}
{{- with $registry }}{{ . }}/{{ end -}}
primussafe/primus-lens-{{ .name }}:{{ $global.imageTag }}
{{- end -}}

{{/* Names of the storage components that are used, joined by commas. */}}
{{- define "lens.storage" -}}
{{- $used := list -}}
{{- range $name := list "postgres" "opensearch" "prometheus" -}}
{{- if index $.Values.storage $name }}{{ $used = append $used $name }}{{ end -}}
{{- end -}}
{{- join "," $used -}}
{{- end -}}

{{/* Deployment of an application; takes root, name, app (its values) and strategy (empty: the default). */}}
{{- define "lens.deployment" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: primus-lens-{{ .name }}
  namespace: {{ include "lens.namespace" $root }}
  labels:
    {{- include "lens.labels" . | nindent 4 }}
spec:
  replicas: {{ .app.replicas }}
  {{- with .strategy }}
  strategy:
    type: {{ . }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "lens.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "lens.labels" . | nindent 8 }}
      annotations:
        primus-lens/storage-checksum: {{ $values.storage.checksum | quote }}
    spec:
      serviceAccountName: {{ $values.serviceAccountName }}
      {{- with $values.global.imagePullSecret }}
      imagePullSecrets:
        - name: {{ . }}
      {{- end }}
      {{- with $values.podSecurityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if gt (int .app.replicas) 1 }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "lens.selector" . | nindent 14 }}
      {{- end }}
      {{- with .app.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .app.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .app.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .name }}
          image: {{ include "lens.image" . | quote }}
          imagePullPolicy: {{ ternary "Always" "IfNotPresent" (eq $values.global.imageTag "latest") }}
          env:
            - name: CLUSTER_NAME
              value: {{ $values.global.clusterName | quote }}
            - name: POD_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
            - name: STORAGE_CONFIG_PATH
              value: {{ $values.storage.mountPath | quote }}
            - name: STORAGE_COMPONENTS
              value: {{ include "lens.storage" $root | quote }}
            {{- with .app.env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - name: http
              containerPort: {{ .app.port }}
          startupProbe:
            httpGet:
              path: {{ .app.livenessPath }}
              port: http
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet:
              path: {{ .app.livenessPath }}
              port: http
            periodSeconds: 15
            timeoutSeconds: 5
          readinessProbe:
            httpGet:
              path: {{ .app.readinessPath }}
              port: http
            periodSeconds: 5
            timeoutSeconds: 5
          {{- with .app.resources }}
          resources:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- with $values.containerSecurityContext }}
          securityContext:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          volumeMounts:
            - name: storage-config
              mountPath: {{ $values.storage.mountPath }}
              readOnly: true
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: storage-config
          secret:
            secretName: {{ $values.storage.secretName }}
            defaultMode: 0440
        - name: tmp
          emptyDir: {}
{{- end -}}
