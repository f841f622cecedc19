{{/* What the chart derives from the program's configuration. */}}

{{- define "skald.port" -}}
{{- regexFind "[0-9]+$" .Values.config.http.listen -}}
{{- end -}}

{{/* A duration of the program (1m30s, 250ms) in whole seconds, rounded up. */}}
{{- define "skald.seconds" -}}
{{- $sum := dict "milliseconds" 0 -}}
{{- range regexFindAll "[0-9]+[a-z]+" (toString .) -1 -}}
{{- $factor := get (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000) (regexFind "[a-z]+" .) -}}
{{- $_ := set $sum "milliseconds" (add $sum.milliseconds (mul (regexFind "[0-9]+" . | int64) $factor)) -}}
{{- end -}}
{{- div (add $sum.milliseconds 999) 1000 -}}
{{- end -}}

{{- define "skald.shutdownGrace" -}}
{{- dig "runtime" "shutdown_grace" "20s" .Values.config -}}
{{- end -}}

{{/* The drain and a margin: SIGKILL in the middle of a drain makes others wait for a lease. */}}
{{- define "skald.terminationGrace" -}}
{{- $least := add (include "skald.seconds" (include "skald.shutdownGrace" .) | int64) (int64 .Values.workload.terminationMarginSeconds) -}}
{{- default $least .Values.workload.terminationGracePeriodSeconds | int64 -}}
{{- end -}}

{{- define "skald.image" -}}
{{- $repository := .Values.image.repository -}}
{{- if .Values.image.registry -}}{{- $repository = printf "%s/%s" .Values.image.registry $repository -}}{{- end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository .Values.image.tag -}}
{{- end -}}
{{- end -}}

{{/* SKALD_HTTP_TOKEN from http.token, as the program derives it. */}}
{{- define "skald.variable" -}}
SKALD_{{ . | upper | replace "." "_" | replace "-" "_" }}
{{- end -}}

{{/* Environment of the secrets in `secrets`: the address of a database by value, since it has no twin that names a
     file, every other secret by file. */}}
{{- define "skald.secretEnvironment" -}}
{{- range $key, $from := . }}
{{- if hasSuffix ".uri" $key }}
- name: {{ include "skald.variable" $key }}
  valueFrom: {secretKeyRef: {name: {{ $from.secretName }}, key: {{ $from.secretKey | quote }}}}
{{- else }}
- name: {{ include "skald.variable" $key }}_FILE
  value: {{ $from.file | default (printf "/run/skald/secrets/%s" $key) | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Sources of the projected volume that holds them. */}}
{{- define "skald.secretSources" -}}
{{- range $key, $from := . }}
{{- if and $from.secretName (not (hasSuffix ".uri" $key)) }}
- secret:
    name: {{ $from.secretName }}
    items: [{key: {{ $from.secretKey | quote }}, path: {{ $key | quote }}}]
{{- end }}
{{- end }}
{{- end -}}

{{/* Secrets of `migrate`: its own, or those for databases. As YAML. */}}
{{- define "skald.migrationSecrets" -}}
{{- $chosen := dict -}}
{{- range $key, $from := .Values.secrets -}}
{{- if regexMatch "^(postgres|databases)[.]" $key -}}{{- $_ := set $chosen $key $from -}}{{- end -}}
{{- end -}}
{{- default $chosen .Values.migrations.secrets | toYaml -}}
{{- end -}}

{{/* Secrets of `preflight` and of the test: those of the processes, without the API's token. As YAML. */}}
{{- define "skald.processSecrets" -}}
{{- omit .Values.secrets "http.token" | toYaml -}}
{{- end -}}

{{/* Consumer groups and topics by whose lag KEDA scales, from the configuration. As JSON lists. */}}
{{- define "skald.consumerGroups" -}}
{{- $config := .Values.config -}}
{{- $group := dig "kafka" "group" (printf "skald-%s" (dig "namespace" "default" $config)) $config -}}
{{- $groups := list -}}
{{- range $database, $_ := $config.databases -}}
{{- $groups = append $groups (printf "%s-%s" $group $database) -}}
{{- end -}}
{{- default (default (list $group) $groups) .Values.keda.consumerGroups | toJson -}}
{{- end -}}

{{- define "skald.triggerTopics" -}}
{{- $topics := list -}}
{{- range $_, $trigger := .Values.config.triggers -}}
{{- with $trigger.topic -}}{{- $topics = append $topics . -}}{{- end -}}
{{- end -}}
{{- $topics | uniq | toJson -}}
{{- end -}}

{{/* The topic of replies that a group reads: each database has its own. (dict "root" $ "group" …) */}}
{{- define "skald.repliesTopic" -}}
{{- $config := .root.Values.config -}}
{{- $replies := dig "topics" "replies" (printf "skald.%s.replies" (dig "namespace" "default" $config)) $config -}}
{{- range $database, $settings := $config.databases -}}
{{- if hasSuffix (printf "-%s" $database) $.group -}}
{{- $replies = $settings.replies | default (printf "%s.%s" $replies $database) -}}
{{- end -}}
{{- end -}}
{{- $replies -}}
{{- end -}}
