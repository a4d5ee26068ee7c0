# A server of Debian's PostgreSQL 15 that has mf_ext: `CREATE EXTENSION mf_ext` works in each of its databases.
# The first stage runs the commands of the README's section Install; only what they install goes into the image.
# make check-dockerfile runs all of this without Docker.

FROM debian:bookworm AS build
RUN apt-get update && \
    apt-get install -y --no-install-recommends g++ make libeigen3-dev postgresql-server-dev-15
WORKDIR /src
COPY . .
RUN make -j"$(nproc)"
RUN make install DESTDIR=/out

FROM debian:bookworm
# The package would make a database cluster, which every container would share.
RUN mkdir -p /etc/postgresql-common/createcluster.d && \
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/image.conf && \
    apt-get update && \
    apt-get install -y --no-install-recommends postgresql-15 && \
    rm -rf /var/lib/apt/lists/*
COPY --from=build /out/ /
COPY scripts/container /usr/local/bin/
ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin
ENV PGDATA=/var/lib/postgresql/data
WORKDIR /var/lib/postgresql
USER postgres
VOLUME /var/lib/postgresql
EXPOSE 5432
# To PostgreSQL this means: roll back what is open, write everything, and stop.
STOPSIGNAL SIGINT
CMD ["container"]
