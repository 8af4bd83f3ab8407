# syntax=docker/dockerfile:1
# A small image for amd64 and arm64: one binary, no shell, no root, works on a read-only file system.
#
#   docker build -t octopus-mcp .
#   docker buildx build --platform linux/amd64,linux/arm64 -t octopus-mcp .
#   docker run --rm --read-only -p 127.0.0.1:8080:8080 -e OCTOPUS_SERVER_URL=https://octopus.example.com octopus-mcp
#
# Clients then connect to http://localhost:8080/mcp. Requests for another host name are rejected unless it is set:
#
#   docker run --rm --read-only -p 8080:8080 -e OCTOPUS_SERVER_URL=https://octopus.example.com \
#     -e OCTOPUS_MCP_HTTP__ALLOWED_HOSTS=mcp.example.com octopus-mcp
#
# The embedded sample instance is left out. An image with it, and a server that uses it:
#
#   docker build --build-arg FEATURES=sample -t octopus-mcp .
#   docker run --rm --read-only -p 127.0.0.1:8080:8080 -e OCTOPUS_MCP_SAMPLE__ENABLED=true octopus-mcp
#
# The profile of images takes long to build. For a first try: docker build --build-arg PROFILE=release -t octopus-mcp .

# The compiler runs on the build platform and cross-compiles, so no emulation is needed.
FROM --platform=$BUILDPLATFORM rust:1.95-slim-bookworm AS build
ARG TARGETARCH
WORKDIR /src
# For another architecture than that of the build platform, installs a C compiler, linker and Rust target. Versions are
# not pinned: the tag of the base image selects the Debian release, and its newest packages are wanted.
# hadolint ignore=DL3008
RUN case "$TARGETARCH" in \
      amd64) machine=x86_64 gcc=gcc-x86-64-linux-gnu ;; \
      arm64) machine=aarch64 gcc=gcc-aarch64-linux-gnu ;; \
      *) echo "unsupported architecture '$TARGETARCH'; build with BuildKit for amd64 or arm64" >&2; exit 1 ;; \
    esac \
 && if [ "$(uname -m)" != "$machine" ]; then \
      apt-get update \
      && apt-get install -y --no-install-recommends "$gcc" "libc6-dev-$TARGETARCH-cross" \
      && rm -rf /var/lib/apt/lists/* \
      && target="$machine-unknown-linux-gnu" \
      && rustup target add "$target" \
      && printf '[build]\ntarget = "%s"\n[target.%s]\nlinker = "%s-linux-gnu-gcc"\n' "$target" "$target" "$machine" \
        > "$CARGO_HOME/config.toml"; \
    fi
# Cargo profile of the program, for example release or dev.
ARG PROFILE=dist
# Builds the dependencies first, because they change less often than the source and stay in the cache.
COPY Cargo.toml Cargo.lock ./
COPY crates/octopus-sample/Cargo.toml crates/octopus-sample/Cargo.toml
RUN for file in src/main.rs $(sed -n 's/^path = "\(.*\)"$/\1/p' Cargo.toml); do \
      mkdir -p "${file%/*}" && echo 'fn main() {}' > "$file" || exit 1; \
    done \
 && mkdir crates/octopus-sample/src \
 && touch src/lib.rs crates/octopus-sample/src/lib.rs \
 && cargo build --profile "$PROFILE" --locked --bin octopus-mcp --no-default-features
COPY src src
COPY crates crates
# Cargo features of the program, with commas: sample.
ARG FEATURES=
# Puts the program into /octopus-mcp/bin, for every profile and target.
RUN touch src/main.rs src/lib.rs crates/octopus-sample/src/lib.rs \
 && cargo install --profile "$PROFILE" --locked --path . --root /octopus-mcp --bin octopus-mcp \
      --no-default-features --features "$FEATURES" \
 && mkdir /state

FROM gcr.io/distroless/cc-debian12:nonroot
# The name must match server.json; the MCP registry compares them.
LABEL org.opencontainers.image.title="octopus-mcp" \
      org.opencontainers.image.description="A remote MCP server for Octopus Deploy" \
      org.opencontainers.image.licenses="Apache-2.0" \
      io.modelcontextprotocol.server.name="io.github.example/octopus-mcp"
COPY --from=build /octopus-mcp/bin/octopus-mcp /usr/local/bin/octopus-mcp
# Empty folder for a volume with audit files: a new volume inherits its owner.
COPY --from=build --chown=65532:65532 /state /var/lib/octopus-mcp
# Settings are in a file, because environment variables would override a mounted file.
COPY config/container.toml /etc/octopus-mcp/config.toml
# The user `nonroot` of the base image. Platforms that check for root need the number.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=4s --start-period=2s --retries=3 \
  CMD ["/usr/local/bin/octopus-mcp", "healthcheck", "--config", "/etc/octopus-mcp/config.toml"]
ENTRYPOINT ["/usr/local/bin/octopus-mcp"]
CMD ["serve", "--config", "/etc/octopus-mcp/config.toml"]
