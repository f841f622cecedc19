{{/* What values.schema.json cannot say, or not in a sentence. Every line names the key. */}}

{{- define "skald.checks" -}}
{{- include "skald.checkImage" . -}}
{{- include "skald.checkSecrets" (dict "root" . "values" .Values.secrets "key" "secrets") -}}
{{- include "skald.checkSecrets" (dict "root" . "values" .Values.migrations.secrets "key" "migrations.secrets") -}}
{{- include "skald.checkPlainText" (dict "config" .Values.config "key" "config" "secrets" "secrets") -}}
{{- include "skald.checkPlainText" (dict "config" .Values.migrations.config "key" "migrations.config" "secrets" "migrations.secrets") -}}
{{- include "skald.checkEnvironment" . -}}
{{- include "skald.checkHttp" . -}}
{{- include "skald.checkWorkload" . -}}
{{- include "skald.checkScaling" . -}}
{{- end -}}

{{- define "skald.checkImage" -}}
{{- if not .Values.image.repository -}}
{{- fail "image.repository is not set: name the image of your own program, which links Skald and registers your sagas" -}}
{{- end -}}
{{- if not (or .Values.image.tag .Values.image.digest) -}}
{{- fail "image.tag or image.digest is not set: name the version of your image" -}}
{{- end -}}
{{- end -}}

{{- define "skald.checkSecrets" -}}
{{- $where := .key -}}
{{- range $key, $from := .values -}}
{{- if $from.file -}}
{{- if or $from.secretName $from.secretKey -}}
{{- fail (printf "%s.%s: give either secretName and secretKey, or file" $where $key) -}}
{{- end -}}
{{- if hasSuffix ".uri" $key -}}
{{- fail (printf "%s.%s: an address is read from the environment, not from a file: give secretName and secretKey" $where $key) -}}
{{- end -}}
{{- else if not (and $from.secretName $from.secretKey) -}}
{{- fail (printf "%s.%s: give secretName and secretKey of an existing Secret, or the file that holds it" $where $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A value with ${NAME} in it takes the secret from the environment. */}}
{{- define "skald.checkPlainText" -}}
{{- $plain := list -}}
{{- range $section, $keys := pick .config "postgres" "http" -}}
{{- range $name := list "password" "token" -}}
{{- with get (default dict $keys) $name -}}{{- if not (contains "${" (toString .)) -}}{{- $plain = append $plain (printf "%s.%s" $section $name) -}}{{- end -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- range $database, $keys := .config.databases -}}
{{- with $keys.password -}}{{- if not (contains "${" (toString .)) -}}{{- $plain = append $plain (printf "databases.%s.password" $database) -}}{{- end -}}{{- end -}}
{{- if include "skald.holdsPassword" $keys.uri -}}{{- $plain = append $plain (printf "databases.%s.uri" $database) -}}{{- end -}}
{{- end -}}
{{- if include "skald.holdsPassword" (dig "postgres" "uri" "" .config) -}}{{- $plain = append $plain "postgres.uri" -}}{{- end -}}
{{- range $property, $value := dig "kafka" "properties" dict .config -}}
{{- $secret := or (contains "password" $property) (contains "secret" $property) (has $property (list "ssl.key.pem" "sasl.oauthbearer.config")) -}}
{{- if and $secret (not (hasSuffix "_file" $property)) (not (contains "${" (toString $value))) -}}
{{- $plain = append $plain (printf "kafka.properties.%s" $property) -}}
{{- end -}}
{{- end -}}
{{- with $plain -}}
{{- $key := first . -}}
{{- fail (printf "%s.%s is a secret and stands in the values in plain text: name a Secret that holds it under %s, like \"%s\": {secretName: …, secretKey: …}" $.key $key $.secrets $key) -}}
{{- end -}}
{{- end -}}

{{- define "skald.holdsPassword" -}}
{{- $uri := toString (default "" .) -}}
{{- if and (not (contains "${" $uri)) (or (contains "password" $uri) (regexMatch "://[^/@]*:[^/]*@" $uri)) -}}yes{{- end -}}
{{- end -}}

{{- define "skald.checkEnvironment" -}}
{{- range .Values.extra.env -}}
{{- if has .name (list "SKALD_KAFKA_INSTANCE_ID" "SKALD_HTTP_LISTEN" "SKALD_RUNTIME_SHUTDOWN_GRACE" "SKALD_CONFIG") -}}
{{- fail (printf "extra.env: %s would make the chart's probes or times wrong: set it under config" .name) -}}
{{- end -}}
{{- end -}}
{{- if dig "kafka" "instance_id" "" .Values.config -}}
{{- fail "config.kafka.instance_id: one value for all pods would make them fence each other: set workload.membership to static" -}}
{{- end -}}
{{- if hasKey (dig "kafka" "properties" dict .Values.config) "group.instance.id" -}}
{{- fail "config.kafka.properties.group.instance.id: the program refuses it (SKALD-907): set workload.membership to static" -}}
{{- end -}}
{{- end -}}

{{- define "skald.checkHttp" -}}
{{- $listen := .Values.config.http.listen -}}
{{- if or (regexMatch "^(127[.]|localhost:|\\[::1\\])" $listen) (regexMatch ":0$" $listen) -}}
{{- fail (printf "config.http.listen %s cannot be reached by probes and scrapes: take 0.0.0.0 and a fixed port" $listen) -}}
{{- end -}}
{{- $token := or (hasKey .Values.secrets "http.token") .Values.config.http.token .Values.config.http.token_file -}}
{{- range .Values.extra.env -}}
{{- if hasPrefix "SKALD_HTTP_TOKEN" .name -}}{{- $token = true -}}{{- end -}}
{{- end -}}
{{- if not (or $token .Values.config.http.unprotected) -}}
{{- fail "secrets.http.token is not set: the API listens beyond loopback and needs a token. Name a Secret that holds it, or set config.http.unprotected: true if something in front keeps strangers out" -}}
{{- end -}}
{{- end -}}

{{- define "skald.checkWorkload" -}}
{{- if and (eq .Values.workload.membership "static") (eq .Values.workload.kind "Deployment") -}}
{{- fail "workload.membership: static does not go with workload.kind: Deployment, whose pods have no names that stay" -}}
{{- end -}}
{{- $grace := include "skald.shutdownGrace" . -}}
{{- if and (contains "${" $grace) (not .Values.workload.terminationGracePeriodSeconds) -}}
{{- fail "workload.terminationGracePeriodSeconds is not set, and cannot be derived while config.runtime.shutdown_grace comes from the environment" -}}
{{- end -}}
{{- $least := add (include "skald.seconds" $grace | int64) (int64 .Values.workload.terminationMarginSeconds) -}}
{{- if lt (include "skald.terminationGrace" . | int64) $least -}}
{{- fail (printf "workload.terminationGracePeriodSeconds %v is shorter than config.runtime.shutdown_grace (%s) and %v s of margin: pods would be killed while they drain" .Values.workload.terminationGracePeriodSeconds $grace .Values.workload.terminationMarginSeconds) -}}
{{- end -}}
{{- if .Values.migrations.preflight.enabled -}}
{{- if ge (include "skald.seconds" .Values.migrations.preflight.timeLimit | int64) (int64 .Values.migrations.activeDeadlineSeconds) -}}
{{- fail (printf "migrations.preflight.timeLimit %s does not fit into migrations.activeDeadlineSeconds %v: the Job would be ended before preflight could answer" .Values.migrations.preflight.timeLimit .Values.migrations.activeDeadlineSeconds) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.podDisruptionBudget.minAvailable .Values.podDisruptionBudget.maxUnavailable -}}
{{- fail "podDisruptionBudget: minAvailable and maxUnavailable exclude each other; set maxUnavailable: null" -}}
{{- end -}}
{{- end -}}

{{- define "skald.checkScaling" -}}
{{- if and .Values.autoscaling.enabled .Values.keda.enabled -}}
{{- fail "autoscaling.enabled and keda.enabled are both true: they would pull at the same number of pods; take one" -}}
{{- end -}}
{{- range $key, $one := pick .Values "autoscaling" "keda" -}}
{{- if lt (int64 $one.maxReplicas) (int64 $one.minReplicas) -}}
{{- fail (printf "%s.maxReplicas %v is less than %s.minReplicas %v" $key $one.maxReplicas $key $one.minReplicas) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (not .Values.autoscaling.targetCPUUtilizationPercentage) (not .Values.autoscaling.metrics) -}}
{{- fail "autoscaling: it has nothing to scale by: set targetCPUUtilizationPercentage or metrics" -}}
{{- end -}}
{{- if .Values.keda.enabled -}}
{{- if not (or .Values.keda.bootstrapServers (dig "kafka" "bootstrap_servers" "" .Values.config)) -}}
{{- fail "keda.bootstrapServers is not set, and config.kafka.bootstrap_servers neither: KEDA has to ask a broker for the lag" -}}
{{- end -}}
{{- if not (or .Values.keda.topics (include "skald.triggerTopics" . | fromJsonArray)) -}}
{{- fail "keda.topics is not set, and config.triggers names no topic: KEDA has to know whose lag counts" -}}
{{- end -}}
{{- end -}}
{{- end -}}
