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

{{/* Rejects values with which the server would not work, and secrets in the ConfigMap. */}}
{{- define "octopus-mcp.check" -}}
{{- $config := .Values.config -}}
{{- if not (or .Values.octopus.url (regexMatch "(?m)^\\s*(\\[(instances\\.|sample\\])|url\\s*=)" $config)) -}}
{{- fail "no Octopus instance is configured: set octopus.url=https://octopus.example.com, or [instances.NAME] in `config`" -}}
{{- end -}}
{{- if not (or .Values.hosts .Values.publicUrl (regexMatch "(?m)^\\s*(allowed_hosts|public_url)\\s*=" $config)) -}}
{{- fail "no host name is configured: set hosts={mcp.example.com}, the names that clients use; requests for other hosts are rejected" -}}
{{- end -}}
{{- if regexMatch "(?m)(\\bAPI-[A-Z0-9]{10,}|^[^#\n]*\\b(api_key|access_token|seal_key|seal_key_previous|hash_key)\\s*=)" $config -}}
{{- fail "`config` is stored in a ConfigMap and contains a secret; move it into a Secret, and reference that in secrets.env or secrets.files" -}}
{{- end -}}
{{- $proxies := or .Values.trustedProxies .Values.env.OCTOPUS_MCP_HTTP__TRUSTED_PROXIES (regexMatch "(?m)^\\s*(http\\.)?trusted_proxies\\s*=" $config) -}}
{{- if and .Values.ingress.enabled (not $proxies) -}}
{{- fail "no trusted proxy is configured: set trustedProxies={10.0.0.0/8}, the network of the ingress pods; otherwise all callers share the address of the ingress and its rate limits" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas is greater than autoscaling.maxReplicas" -}}
{{- end -}}
{{- end -}}
