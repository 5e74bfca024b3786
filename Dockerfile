ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY exabgp_k8s exabgp_k8s
# `kubernetes` brings its client twice; nothing imports the asyncio half, a third of all bytes.
RUN python -m venv --without-pip /opt/exabgp-k8s \
 && pip --python /opt/exabgp-k8s/bin/python install --no-cache-dir --no-compile ".[looking-glass]" \
 && rm -r /opt/exabgp-k8s/lib/python*/site-packages/kubernetes/aio

FROM python:${PYTHON}-slim
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="exabgp-k8s" \
      org.opencontainers.image.description="Announces the service and pod ranges of a Kubernetes node to the routers" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /opt/exabgp-k8s /opt/exabgp-k8s
# ExaBGP insists on a user that /etc/passwd knows. Bytecode is compiled here, the standard
# library's too, which this base image comes without: the root file system is read-only later,
# and compiling at every start costs seconds and megabytes.
RUN groupadd --gid 65532 exabgp-k8s \
 && useradd --uid 65532 --gid 65532 --no-create-home --home-dir / --shell /usr/sbin/nologin \
        exabgp-k8s \
 && install -d -o 65532 -g 65532 -m 0700 /run/exabgp-k8s \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        -x '/(test|tests|idlelib|lib2to3|site-packages/pip)/' \
        /usr/local/lib/python3.* /opt/exabgp-k8s/lib
ENV PATH=/opt/exabgp-k8s/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 9179
STOPSIGNAL SIGTERM
ENTRYPOINT ["exabgp-k8s"]
CMD ["run"]
