ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY daemonset/image daemonset/image
# Locked with hashes, and without what nothing of ours imports; `.ci/lock` writes the lists anew.
RUN python -m venv --without-pip /opt/exabgp-k8s \
 && pip --python /opt/exabgp-k8s/bin/python install --no-cache-dir --no-compile --no-deps \
        --require-hashes --requirement daemonset/image/requirements.txt \
 && (cd /opt/exabgp-k8s/lib/python*/site-packages \
     && xargs rm -r < /src/daemonset/image/unused-paths.txt) \
 && pip install --no-cache-dir --require-hashes \
        --requirement daemonset/image/build-requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY exabgp_k8s exabgp_k8s
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /tmp . \
 && pip --python /opt/exabgp-k8s/bin/python install --no-cache-dir --no-compile --no-deps \
        /tmp/exabgp_k8s-*.whl

FROM python:${PYTHON}-slim
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="exabgp-k8s" \
      org.opencontainers.image.description="Announces the service and pod ranges of a Kubernetes node to the routers" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
# BIRD speaks BFD, in pods of its own and only where the settings ask for it; it takes 5 MB. apt's
# own caches are 94 MB where the base image does not tell it to keep none.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends bird2 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
COPY --from=build /opt/exabgp-k8s /opt/exabgp-k8s
ENV PATH=/opt/exabgp-k8s/bin:$PATH
# ExaBGP insists on a user that /etc/passwd knows. A node's life, once through, leaves the bytecode
# of all that is imported, the standard library's too, which this base image comes without: the
# root file system is read-only later, and compiling at every start costs seconds and megabytes.
RUN groupadd --gid 65532 exabgp-k8s \
 && useradd --uid 65532 --gid 65532 --no-create-home --home-dir / --shell /usr/sbin/nologin \
        exabgp-k8s \
 && install -d -o 65532 -g 65532 -m 0700 /run/exabgp-k8s \
 && exabgp-k8s try > /dev/null
ENV PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 9179
STOPSIGNAL SIGTERM
ENTRYPOINT ["exabgp-k8s"]
CMD ["run"]
