# Images of Skald (docs/image.md). Each stage can be built by its name:
#
#   build               the compiler, Skald and what it is linked with, installed: sagas are compiled in it
#   runtime             the libraries that a program with Skald loads, and nothing else: sagas run in it
#   order-participants  the participants of the example
#   place-order         the example's orchestrator, made as a user's image is: the default
#
# BASE is Debian 12 or 13. There is no HEALTHCHECK: Kubernetes and Compose have probes of their own.
ARG BASE=debian:12-slim

FROM ${BASE} AS build
COPY tools/packages.sh /tmp/
RUN bash -ec 'say() { echo "$*"; }; . /tmp/packages.sh; install_packages "${build_packages[@]}"; \
      ln -s "/usr/bin/clang++-$llvm" /usr/local/bin/clang++' \
 && rm -rf /tmp/packages.sh /var/lib/apt/lists/*
# Defaults of cmake for what is built here, so that `cmake -S . -B build` says enough.
ENV CXX=clang++ CMAKE_GENERATOR=Ninja CMAKE_BUILD_TYPE=RelWithDebInfo CMAKE_CXX_COMPILER_LAUNCHER=ccache
COPY . /tmp/skald
RUN --mount=type=cache,id=skald-ccache,target=/root/.cache/ccache \
    cmake -S /tmp/skald -B /tmp/build -DSKALD_BUILD_TESTS=OFF -DSKALD_BUILD_EXAMPLES=OFF \
 && cmake --build /tmp/build && cmake --install /tmp/build \
 && install /tmp/skald/tools/runtime-packages /usr/local/bin \
 && rm -rf /tmp/build /tmp/skald

FROM build AS order
COPY examples/order /order
RUN --mount=type=cache,id=skald-ccache,target=/root/.cache/ccache \
    cmake -S /order -B /order/build && cmake --build /order/build \
 && strip --strip-debug /order/build/place-order /order/build/participants/order-* \
 && runtime-packages /order/build/place-order /order/build/participants/order-participants >/order/packages

FROM ${BASE} AS runtime
COPY --from=order /order/packages /tmp/packages
RUN apt-get -q -y update \
 && DEBIAN_FRONTEND=noninteractive xargs -a /tmp/packages \
    apt-get -q -y install --no-install-recommends ca-certificates tzdata \
 && apt-get clean && rm -rf /tmp/packages /var/lib/apt/lists/* /var/cache/debconf/*-old \
 && find /var/log -type f -delete && find / -xdev -type f -perm /6000 -exec chmod ug-s {} + \
 && echo 'skald:x:65532:65532::/:/usr/sbin/nologin' >>/etc/passwd && echo 'skald:x:65532:' >>/etc/group \
 && mkdir /etc/skald && echo '# Mount your configuration over this file, or give it by environment.' >/etc/skald/skald.yaml
ENV SKALD_CONFIG=/etc/skald/skald.yaml
# Only here, or every commit would install the packages anew.
ARG BASE
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="Skald" \
      org.opencontainers.image.description="Saga orchestrator for C++ on Kafka and PostgreSQL" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}"
USER 65532:65532
WORKDIR /
EXPOSE 8080
STOPSIGNAL SIGTERM

FROM runtime AS order-participants
COPY --from=order /order/build/participants/order-participants /order/build/participants/order-inventory \
     /order/build/participants/order-payments /order/build/participants/order-shipping /usr/local/bin/
LABEL org.opencontainers.image.title="order-participants" \
      org.opencontainers.image.description="Participants of Skald's example"
ENTRYPOINT ["/usr/local/bin/order-participants"]

FROM runtime AS place-order
COPY --from=order /order/build/place-order /usr/local/bin/
LABEL org.opencontainers.image.title="place-order" \
      org.opencontainers.image.description="Orchestrator of Skald's example"
ENTRYPOINT ["/usr/local/bin/place-order"]
CMD ["serve"]
