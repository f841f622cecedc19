{{/* The pods, the same for Deployment and StatefulSet. */}}

{{/* Settings of a pod that its containers do not matter for; also of the hook's and the test's. */}}
{{- define "skald.podBasics" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.pod.securityContext | nindent 2 }}
{{- with .Values.pod.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pod.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pod.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $key := list "priorityClassName" "runtimeClassName" "schedulerName" "dnsPolicy" }}
{{- with get $.Values.pod $key }}
{{ $key }}: {{ . }}
{{- end }}
{{- end }}
{{- with .Values.pod.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.pod.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What makes a pod a static member of its groups: its name, which a StatefulSet gives again. */}}
{{- define "skald.membership" -}}
{{- if eq .Values.workload.membership "static" -}}
- name: SKALD_KAFKA_INSTANCE_ID
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- else -}}
[]
{{- end -}}
{{- end -}}

{{/* A container of the user's image: (dict "root" $ "name" … "arguments" [] "config" FILE "secrets" {} "resources" {} "mounts" [] "environment" []). */}}
{{- define "skald.container" -}}
name: {{ .name }}
image: {{ include "skald.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
{{- with .root.Values.image.command }}
command: {{ toJson . }}
{{- end }}
args: {{ toJson .arguments }}
env:
  - name: SKALD_CONFIG
    value: /etc/skald/{{ .config }}
  {{- with .environment }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with include "skald.secretEnvironment" .secrets | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .root.Values.extra.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .root.Values.extra.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- /* Why it ended stands in its status too. */}}
terminationMessagePolicy: FallbackToLogsOnError
securityContext:
  {{- toYaml .root.Values.pod.containerSecurityContext | nindent 2 }}
resources:
  {{- toYaml .resources | nindent 2 }}
volumeMounts:
  - {name: configuration, mountPath: /etc/skald, readOnly: true}
  {{- if include "skald.secretSources" .secrets | trim }}
  - {name: {{ .secretVolume | default "secrets" }}, mountPath: /run/skald/secrets, readOnly: true}
  {{- end }}
  {{- with .mounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* The volume of secrets, readable for the group of the pod (fsGroup); nothing if there are none. */}}
{{- define "skald.secretVolume" -}}
{{- with include "skald.secretSources" .secrets | trim }}
- name: {{ $.name }}
  projected:
    defaultMode: 0440
    sources:
      {{- . | nindent 6 }}
{{- end }}
{{- end -}}

{{- define "skald.pod" -}}
metadata:
  labels:
    {{- include "skald.podLabels" (dict "root" . "component" "orchestrator" "labels" .Values.pod.labels) | nindent 4 }}
  annotations:
    checksum/config: {{ toYaml .Values.config | sha256sum }}
    {{- with merge (dict) .Values.pod.annotations .Values.commonAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "skald.serviceAccount" . }}
  terminationGracePeriodSeconds: {{ include "skald.terminationGrace" . }}
  {{- include "skald.podBasics" . | nindent 2 }}
  {{- with .Values.pod.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- range . }}
    {{- $selector := dict "labelSelector" (dict "matchLabels" (include "skald.selector" (dict "root" $ "component" "orchestrator") | fromYaml)) }}
    - {{ toYaml (merge (dict) . $selector) | nindent 6 | trim }}
    {{- end }}
  {{- end }}
  {{- with .Values.extra.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - {{ include "skald.container" (dict "root" . "name" "skald" "config" "skald.yaml" "secrets" .Values.secrets
          "arguments" (concat (list "serve") .Values.workload.arguments) "resources" .Values.pod.resources
          "mounts" .Values.extra.volumeMounts "environment" (include "skald.membership" . | fromYamlArray)) | nindent 6 | trim }}
      ports:
        - {name: http, containerPort: {{ include "skald.port" . }}, protocol: TCP}
      {{- range $probe, $settings := .Values.probes }}
      {{ $probe }}Probe:
        {{- toYaml $settings | nindent 8 }}
      {{- end }}
      {{- with .Values.pod.lifecycle }}
      lifecycle:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- with .Values.extra.containers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: configuration
      configMap: {name: {{ include "skald.fullname" . }}}
    {{- with include "skald.secretVolume" (dict "name" "secrets" "secrets" .Values.secrets) | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with .Values.extra.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
