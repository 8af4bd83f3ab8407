# syntax=docker/dockerfile:1
# A small image: one binary, no shell, no root, nothing to write to.
#
#   docker build -t octopus-mcp .
#   docker run --read-only -p 8080:8080 -e OCTOPUS_SERVER_URL=https://octopus.example.com \
#     -e OCTOPUS_MCP_HTTP__ALLOWED_HOSTS=mcp.example.com octopus-mcp

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# Dependencies alone first: they change less often than the source, and stay in the cache.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src benches/serving \
 && echo 'fn main() {}' > src/main.rs \
 && cp src/main.rs benches/serving/main.rs \
 && touch src/lib.rs \
 && cargo build --profile dist --locked --bin octopus-mcp
COPY src src
RUN touch src/main.rs src/lib.rs \
 && cargo build --profile dist --locked --bin octopus-mcp

FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="octopus-mcp" \
      org.opencontainers.image.description="A remote MCP server for Octopus Deploy" \
      org.opencontainers.image.licenses="Apache-2.0" \
      io.modelcontextprotocol.server.name="octopus-mcp"
COPY --from=build /src/target/dist/octopus-mcp /usr/local/bin/octopus-mcp
# Settings stand in a file and not in variables here: a variable would win over a mounted file.
COPY config/container.toml /etc/octopus-mcp/config.toml
# The user `nonroot` of the base image, by number, as platforms that check for root want it.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=4s --start-period=2s --retries=3 \
  CMD ["/usr/local/bin/octopus-mcp", "healthcheck", "--config", "/etc/octopus-mcp/config.toml"]
ENTRYPOINT ["/usr/local/bin/octopus-mcp"]
CMD ["serve", "--config", "/etc/octopus-mcp/config.toml"]
