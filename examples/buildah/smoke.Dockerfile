# What a new image must be able to do before its name moves to it. The builder replaces the FROM.
FROM scratch
RUN ["/bin/sh", "-c", "true"]
