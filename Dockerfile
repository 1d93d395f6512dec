# Milkwise, CPU only. Build: docker build -t milkwise .   Run: see docs/operate.md
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/milkwise
COPY constraints.txt ./
# torch's own CPU build, which pip prefers as "+cpu": PyPI's brings several gigabytes of CUDA packages. Besides PyPI, not
# instead: the versions pinned of what torch needs are not all there
RUN /opt/milkwise/bin/pip install -c constraints.txt torch --extra-index-url https://download.pytorch.org/whl/cpu
COPY pyproject.toml README.md LICENSE ./
COPY corpus corpus
COPY index index
COPY bot bot
# --build-arg EXTRAS=[postgres] for an index that several servers share
ARG EXTRAS=
RUN /opt/milkwise/bin/pip install -c constraints.txt ".$EXTRAS"

FROM python:3.11-slim
# A user without a shell, a home or a right to anything but the data folder
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin milkwise \
    && install -d -o 10001 -g 10001 /data
COPY --from=build /opt/milkwise /opt/milkwise
ENV PATH=/opt/milkwise/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp MPLCONFIGDIR=/tmp \
    MILKWISE_HOST=0.0.0.0 MILKWISE_LOG_FORMAT=json
USER 10001:10001
# Holds milkwise.toml, the documents and the index; everything else may be read-only, with a tmpfs on /tmp
WORKDIR /data
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/readyz', timeout=4)"]
ENTRYPOINT ["milkwise"]
CMD ["serve"]
