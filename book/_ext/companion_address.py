"""Addresses that follow from `repository.url` and `site_branch` in _config.yml: links, notebooks, what pip installs."""

from urllib.parse import urlsplit


def repository(config):
    """Owner and name of the repository."""
    owner, name = urlsplit(config.html_theme_options["repository_url"]).path.strip("/").split("/")
    return owner, name.removesuffix(".git")


def site(config):
    """Where GitHub Pages serves the site."""
    owner, name = repository(config)
    return f"https://{owner}.github.io/{name}/"


def notebook(docname):
    """Where a chapter's notebook lies in the site."""
    return f"notebooks/{docname}.ipynb"


def colab(config, docname):
    """Where Colab opens a chapter's notebook: on the branch that holds the built site."""
    owner, name = repository(config)
    return f"https://colab.research.google.com/github/{owner}/{name}/blob/{config.site_branch}/{notebook(docname)}"


def source(config, path):
    """A file of the repository, to be read."""
    options = config.html_theme_options
    return f"{options['repository_url']}/blob/{options.get('repository_branch') or 'main'}/{path}"


def archive(config):
    """The repository as one file that pip installs; no git is needed."""
    options = config.html_theme_options
    return f"{options['repository_url']}/archive/refs/heads/{options.get('repository_branch') or 'main'}.zip"
