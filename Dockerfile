# syntax=docker/dockerfile:1
# A small image for amd64 and arm64: one binary, no shell, no root, nothing to write to.
#
#   docker build -t octopus-mcp .
#   docker buildx build --platform linux/amd64,linux/arm64 -t octopus-mcp .
#   docker run --read-only -p 8080:8080 -e OCTOPUS_SERVER_URL=https://octopus.example.com \
#     -e OCTOPUS_MCP_HTTP__ALLOWED_HOSTS=mcp.example.com octopus-mcp
#
# The embedded sample instance is left out; with it: docker build --build-arg FEATURES=sample .

# The compiler runs on the machine that builds, whatever the image is for: no emulation.
FROM --platform=$BUILDPLATFORM rust:1.95-slim-bookworm AS build
ARG TARGETARCH
WORKDIR /src
# A C compiler and linker for the other architecture, where it is another one. Debian's newest is
# wanted, and the tag of the base says of which Debian.
# hadolint ignore=DL3008
RUN case "$TARGETARCH" in \
      amd64) gnu=x86_64-linux-gnu gcc=gcc-x86-64-linux-gnu ;; \
      arm64) gnu=aarch64-linux-gnu gcc=gcc-aarch64-linux-gnu ;; \
      *) echo "there is no image for '$TARGETARCH'; build with BuildKit, for amd64 or arm64" >&2; exit 1 ;; \
    esac \
 && if [ "$(uname -m)-linux-gnu" != "$gnu" ]; then \
      apt-get update \
      && apt-get install -y --no-install-recommends "$gcc" "libc6-dev-$TARGETARCH-cross" \
      && rm -rf /var/lib/apt/lists/*; \
    fi \
 && target="${gnu%%-*}-unknown-linux-gnu" \
 && rustup target add "$target" \
 && printf '[build]\ntarget = "%s"\n[target.%s]\nlinker = "%s-gcc"\n' "$target" "$target" "$gnu" > "$CARGO_HOME/config.toml"
# Dependencies alone first: they change less often than the source, and stay in the cache.
COPY Cargo.toml Cargo.lock ./
COPY crates/octopus-sample/Cargo.toml crates/octopus-sample/Cargo.toml
RUN for file in src/main.rs $(sed -n 's/^path = "\(.*\)"$/\1/p' Cargo.toml); do \
      mkdir -p "${file%/*}" && echo 'fn main() {}' > "$file" || exit 1; \
    done \
 && mkdir crates/octopus-sample/src \
 && touch src/lib.rs crates/octopus-sample/src/lib.rs \
 && cargo build --profile dist --locked --bin octopus-mcp --no-default-features
COPY src src
COPY crates crates
# Cargo features of the program, with commas: sample.
ARG FEATURES=
RUN touch src/main.rs src/lib.rs crates/octopus-sample/src/lib.rs \
 && cargo build --profile dist --locked --bin octopus-mcp --no-default-features --features "$FEATURES" \
 && mv target/*/dist/octopus-mcp /octopus-mcp \
 && mkdir /state

FROM gcr.io/distroless/cc-debian12:nonroot
# The name is that of server.json; the MCP registry compares the two.
LABEL org.opencontainers.image.title="octopus-mcp" \
      org.opencontainers.image.description="A remote MCP server for Octopus Deploy" \
      org.opencontainers.image.licenses="Apache-2.0" \
      io.modelcontextprotocol.server.name="io.github.example/octopus-mcp"
COPY --from=build /octopus-mcp /usr/local/bin/octopus-mcp
# Empty, for a volume with the files of the audit: a new one takes the owner over.
COPY --from=build --chown=65532:65532 /state /var/lib/octopus-mcp
# Settings stand in a file and not in variables here: a variable would win over a mounted file.
COPY config/container.toml /etc/octopus-mcp/config.toml
# The user `nonroot` of the base image, by number, as platforms that check for root want it.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=4s --start-period=2s --retries=3 \
  CMD ["/usr/local/bin/octopus-mcp", "healthcheck", "--config", "/etc/octopus-mcp/config.toml"]
ENTRYPOINT ["/usr/local/bin/octopus-mcp"]
CMD ["serve", "--config", "/etc/octopus-mcp/config.toml"]
