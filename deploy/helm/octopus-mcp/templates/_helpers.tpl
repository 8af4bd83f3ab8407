{{- define "octopus-mcp.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 50 of 63 characters, to leave room for suffixes such as "-admin". */}}
{{- define "octopus-mcp.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "octopus-mcp.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "octopus-mcp.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "octopus-mcp.selector" -}}
app.kubernetes.io/name: {{ include "octopus-mcp.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "octopus-mcp.labels" -}}
{{ include "octopus-mcp.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "octopus-mcp.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "octopus-mcp.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "octopus-mcp.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- if .Values.image.digest -}}
{{- printf "%s:%s@%s" .Values.image.repository $tag .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository $tag -}}
{{- end -}}
{{- end -}}

{{/* The value of a setting such as "tools.read_only": of its environment variable, or of the file. Empty if it is not set.
     Arguments: a dict with `root`, `toml` (the parsed file) and `path`. The value of a Secret is "(secret)". */}}
{{- define "octopus-mcp.setting" -}}
{{- $name := printf "OCTOPUS_MCP_%s" (.path | upper | replace "." "__") -}}
{{- $found := "" -}}
{{- $table := .toml -}}
{{- range splitList "." .path -}}
{{- if and (kindIs "map" $table) (hasKey $table .) -}}
{{- $table = get $table . -}}
{{- else -}}
{{- $table = "" -}}
{{- end -}}
{{- end -}}
{{- if not (kindIs "map" $table) -}}
{{- $found = toString $table -}}
{{- end -}}
{{- if hasKey .root.Values.env $name -}}
{{- $found = toString (get .root.Values.env $name) -}}
{{- end -}}
{{- range .root.Values.secrets.env -}}
{{- if eq .name $name -}}
{{- $found = "(secret)" -}}
{{- end -}}
{{- end -}}
{{- $found -}}
{{- end -}}

{{/* Not empty if more than one pod can run. */}}
{{- define "octopus-mcp.several" -}}
{{- if or (and .Values.autoscaling.enabled (gt (int .Values.autoscaling.maxReplicas) 1)) (and (not .Values.autoscaling.enabled) (gt (int .Values.replicas) 1)) -}}
true
{{- end -}}
{{- end -}}

{{/* Rejects values with which the server would not work, and secrets in the ConfigMap. */}}
{{- define "octopus-mcp.check" -}}
{{- $config := .Values.config -}}
{{- $toml := fromToml $config -}}
{{- if kindIs "string" $toml.Error -}}
{{- fail (printf "`config` is not valid TOML: %s" ($toml.Error | trimPrefix "toml: ")) -}}
{{- end -}}
{{- $settings := dict "root" . "toml" $toml -}}
{{- $sample := eq (include "octopus-mcp.setting" (set $settings "path" "sample.enabled")) "true" -}}
{{- if not (or .Values.octopus.url .Values.env.OCTOPUS_SERVER_URL $toml.instances $sample (include "octopus-mcp.setting" (set $settings "path" "octopus.url"))) -}}
{{- fail "no Octopus instance is configured: set octopus.url=https://octopus.example.com, or [instances.NAME] in `config`" -}}
{{- end -}}
{{- $hosts := include "octopus-mcp.setting" (set $settings "path" "http.allowed_hosts") -}}
{{- if not (or .Values.hosts .Values.publicUrl $hosts (include "octopus-mcp.setting" (set $settings "path" "http.public_url"))) -}}
{{- fail "no host name is configured: set hosts={mcp.example.com}, the names that clients use; requests for other hosts are rejected" -}}
{{- end -}}
{{- if regexMatch "(?m)(\\bAPI-[A-Z0-9]{10,}|^[^#\n]*\\brediss?://[^\\s\"'/]*:[^\\s\"'/@]*@|^[^#\n]*\\b(api_key|access_token|seal_key|seal_key_previous|hash_key|chain_key)\\s*=)" $config -}}
{{- fail "`config` is stored in a ConfigMap and contains a secret; move it into a Secret, and reference that in secrets.env or secrets.files" -}}
{{- end -}}
{{- $proxies := or .Values.trustedProxies (include "octopus-mcp.setting" (set $settings "path" "http.trusted_proxies")) -}}
{{- if and .Values.ingress.enabled (not $proxies) -}}
{{- fail "no trusted proxy is configured: set trustedProxies={10.0.0.0/8}, the network of the ingress pods; otherwise all callers share the address of the ingress and its rate limits" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas is greater than autoscaling.maxReplicas" -}}
{{- end -}}
{{- if eq (include "octopus-mcp.setting" (set $settings "path" "tools.read_only")) "false" -}}
{{- include "octopus-mcp.check-changes" $settings -}}
{{- end -}}
{{- end -}}

{{/* Rejects values that allow changes without audit records, or at several replicas without shared state.
     Arguments: as for `octopus-mcp.setting`. */}}
{{- define "octopus-mcp.check-changes" -}}
{{- $stdout := eq (include "octopus-mcp.setting" (set . "path" "audit.stdout")) "true" -}}
{{- $file := include "octopus-mcp.setting" (set . "path" "audit.file.path") -}}
{{- $collector := include "octopus-mcp.setting" (set . "path" "audit.otlp.endpoint") -}}
{{- if not (or $stdout $file $collector) -}}
{{- fail "changes are allowed (tools.read_only = false), but no audit records are written: set audit.stdout = true, audit.file.path or audit.otlp.endpoint in `config`" -}}
{{- end -}}
{{- if include "octopus-mcp.several" .root -}}
{{- if not (include "octopus-mcp.setting" (set . "path" "tools.seal_key")) -}}
{{- fail "changes are allowed (tools.read_only = false) with several replicas, but they share no seal key, so a replica rejects approvals of the others: add OCTOPUS_MCP_TOOLS__SEAL_KEY to secrets.env, or set replicas=1" -}}
{{- end -}}
{{- if has (include "octopus-mcp.setting" (set . "path" "limits.store")) (list "" "memory") -}}
{{- fail "changes are allowed (tools.read_only = false) with several replicas, but they share no store, so a change can be executed twice: add OCTOPUS_MCP_LIMITS__STORE, the URL of a Valkey or Redis, to secrets.env, or set replicas=1" -}}
{{- end -}}
{{- end -}}
{{- end -}}
