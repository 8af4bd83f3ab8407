# syntax=docker/dockerfile:1
# A small image: one static-as-can-be binary, no shell, no root, nothing to write to.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# A C compiler for the crypto provider is in the image; cmake is not asked for.
COPY Cargo.toml Cargo.lock ./
# Dependencies alone first: they change less often than the source, and stay in the cache.
RUN mkdir src benches \
 && echo 'fn main() {}' > src/main.rs \
 && touch src/lib.rs \
 && sed -i '/^\[\[bench\]\]/,/^$/d; /^\[\[example\]\]/,/^$/d' Cargo.toml \
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
USER nonroot:nonroot
EXPOSE 8080
# No setting stands here as a variable: it would win over a mounted file. The address does as a
# flag of the command, which whoever runs the image can replace.
HEALTHCHECK --interval=10s --timeout=4s --start-period=2s --retries=3 \
  CMD ["/usr/local/bin/octopus-mcp", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/octopus-mcp"]
CMD ["serve"]
