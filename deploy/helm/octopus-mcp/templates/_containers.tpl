{{/* Parts of both containers of a pod. */}}
{{- define "octopus-mcp.env" -}}
- name: OCTOPUS_MCP_HTTP__LISTEN
  value: {{ printf "%s:%d" .Values.listenAddress (int .Values.ports.main) | quote }}
- name: OCTOPUS_MCP_HTTP__ADMIN_LISTEN
  value: {{ printf "%s:%d" .Values.listenAddress (int .Values.ports.admin) | quote }}
- name: OCTOPUS_MCP_HTTP__DRAIN_PAUSE
  value: {{ printf "%ds" (int .Values.shutdown.pauseSeconds) }}
- name: OCTOPUS_MCP_HTTP__DRAIN_TIMEOUT
  value: {{ printf "%ds" (int .Values.shutdown.drainSeconds) }}
{{- with .Values.octopus.url }}
- name: OCTOPUS_SERVER_URL
  value: {{ . | quote }}
{{- end }}
{{- with .Values.hosts }}
- name: OCTOPUS_MCP_HTTP__ALLOWED_HOSTS
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.publicUrl }}
- name: OCTOPUS_MCP_HTTP__PUBLIC_URL
  value: {{ . | quote }}
{{- end }}
{{- with .Values.trustedProxies }}
- name: OCTOPUS_MCP_HTTP__TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
{{- if .Values.tls.secret }}
- name: OCTOPUS_MCP_HTTP__TLS__CERTIFICATE
  value: /run/tls/tls.crt
- name: OCTOPUS_MCP_HTTP__TLS__KEY
  value: /run/tls/tls.key
{{- if .Values.tls.clientCaSecret }}
- name: OCTOPUS_MCP_HTTP__TLS__CLIENT_CA
  value: /run/client-ca/ca.crt
{{- end }}
{{- end }}
{{- if .Values.telemetry.otlpEndpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .Values.telemetry.otlpEndpoint | quote }}
- name: OTEL_EXPORTER_OTLP_PROTOCOL
  value: {{ .Values.telemetry.otlpProtocol | quote }}
{{- if not .Values.telemetry.otlpMetrics }}
- name: OTEL_METRICS_EXPORTER
  value: none
{{- end }}
{{- with .Values.telemetry.otlpHeaders.secret }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $.Values.telemetry.otlpHeaders.key }}
{{- end }}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: OTEL_RESOURCE_ATTRIBUTES
  value: k8s.namespace.name=$(POD_NAMESPACE),k8s.pod.name=$(POD_NAME),service.instance.id=$(POD_NAME)
{{- end }}
{{- range $name, $value := .Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range .Values.secrets.env }}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end }}
{{- end -}}

{{- define "octopus-mcp.mounts" -}}
# Mounts the folder, because a file mounted with subPath does not follow changes of the ConfigMap.
- name: config
  mountPath: /etc/octopus-mcp
  readOnly: true
{{- range $index, $name := .Values.secrets.files }}
- name: secret-{{ $index }}
  mountPath: /run/secrets/{{ $name }}
  readOnly: true
{{- end }}
{{- if .Values.tls.secret }}
- name: tls
  mountPath: /run/tls
  readOnly: true
{{- if .Values.tls.clientCaSecret }}
- name: client-ca
  mountPath: /run/client-ca
  readOnly: true
{{- end }}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end -}}

{{- define "octopus-mcp.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}
